import packageJson from '../../package.json' with { type: 'json' };

/** Who made a file, as formats with such a field want it. */
export const SOFTWARE = { name: packageJson.name, version: packageJson.version } as const;
