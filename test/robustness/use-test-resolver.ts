/**
 * Loaded into the service before its own code (`node --import`): host names are asked of the server that TEST_DNS names
 * (`127.0.0.1:PORT`) instead of the system's. Everything behind the lookup is the service's own.
 */
import dns from 'node:dns/promises';

const resolver = new dns.Resolver({ timeout: 500, tries: 1 });
resolver.setServers([process.env.TEST_DNS ?? '']);

async function lookup(hostname: string): Promise<{ address: string; family: number }[]> {
  const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  const found = answers.flatMap((answer, index) =>
    answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family: index === 0 ? 4 : 6 })) : [],
  );
  // As getaddrinfo has it: a failure only when there is nothing at all.
  const [first] = answers;
  if (found.length === 0) throw first.status === 'rejected' ? first.reason : new Error('no address');
  return found;
}

Object.assign(dns, { lookup });
