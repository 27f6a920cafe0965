/**
 * What has to happen whole or not at all, as Lua (Redis and Valkey run a script without anything in between). Every script
 * may be run again after an answer that was lost: what is done already is told apart by the state that it left.
 *
 * Times come from the caller: scripts that ask for the time are not replicated by old servers.
 */

/** A job ends when everything that was found is settled and there is no more to find. */
const END_IF_SETTLED = `
local function endIfSettled(job)
  local v = redis.call('HMGET', job, 'state', 'listed', 'stopped', 'found', 'done', 'failed')
  if v[1] ~= 'running' then return 0 end
  if v[2] ~= '1' and v[3] ~= '1' then return 0 end
  if tonumber(v[5]) + tonumber(v[6]) < tonumber(v[4]) then return 0 end
  redis.call('HSET', job, 'state', 'finishing')
  return 1
end
`;

/**
 * KEYS job, active, same, sources, totals; ARGV id, now, most active jobs, whether the fingerprint outlives the job,
 * then fields of the job.
 * Gives the id of the job that is there already, 'FULL', or ''.
 */
const create = `
local there = redis.call('GET', KEYS[3])
if there then return there end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return 'FULL' end
redis.call('HSET', KEYS[1], 'state', 'queued', 'created', ARGV[2], 'found', 0, 'done', 0, 'failed', 0, 'pages', 0,
  'round', 0, 'cursor', '', 'same', KEYS[3], 'sameStays', ARGV[4], unpack(ARGV, 5))
redis.call('PERSIST', KEYS[4])
redis.call('SET', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('HINCRBY', KEYS[5], 'jobs_created', 1)
return ''
`;

/**
 * Hands out pictures that were just found, if nobody else has done so since they were looked up.
 * KEYS job, out; ARGV now, cursor before, cursor after, '1' where the source is at its end, sources...
 * Gives the index of the first picture, -1 where the job takes no more, -2 where somebody was faster.
 */
const reserve = `${END_IF_SETTLED}
local v = redis.call('HMGET', KEYS[1], 'state', 'cursor', 'found', 'listed', 'stopped')
if (v[1] ~= 'queued' and v[1] ~= 'running') or v[4] == '1' or v[5] == '1' then return -1 end
if v[2] ~= ARGV[2] then return -2 end
local found = tonumber(v[3])
for i = 5, #ARGV do redis.call('HSET', KEYS[2], found + i - 5, ARGV[i]) end
redis.call('HSET', KEYS[1], 'state', 'running', 'cursor', ARGV[3], 'found', found + #ARGV - 4)
redis.call('HSETNX', KEYS[1], 'started', ARGV[1])
redis.call('HDEL', KEYS[1], 'listTries', 'listAfter')
if ARGV[4] == '1' then
  redis.call('HSET', KEYS[1], 'listed', 1)
  endIfSettled(KEYS[1])
end
return found
`;

/**
 * Ends the listing before its end. KEYS job; ARGV now, code, message.
 */
const stopListing = `${END_IF_SETTLED}
local v = redis.call('HMGET', KEYS[1], 'state', 'listed')
if (v[1] ~= 'queued' and v[1] ~= 'running') or v[2] == '1' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'running', 'stopped', 1, 'errorCode', ARGV[2], 'errorMessage', ARGV[3])
redis.call('HSETNX', KEYS[1], 'started', ARGV[1])
return endIfSettled(KEYS[1])
`;

/** Hands out failed pictures again. KEYS job, again, out; ARGV most. Gives their indexes. */
const reserveAgain = `
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then return {} end
local taken = {}
for i = 1, tonumber(ARGV[1]) do
  local entry = redis.call('LPOP', KEYS[2])
  if not entry then break end
  local space = string.find(entry, ' ', 1, true)
  local index = string.sub(entry, 1, space - 1)
  redis.call('HSET', KEYS[3], index, string.sub(entry, space + 1))
  taken[i] = index
end
return taken
`;

/** KEYS job, out, begun, totals; ARGV index. Gives source, how often it was begun now, and the spec; nothing where it is settled. */
const begin = `
local v = redis.call('HMGET', KEYS[1], 'state', 'spec')
if v[1] ~= 'running' then return {} end
local source = redis.call('HGET', KEYS[2], ARGV[1])
if not source then return {} end
redis.call('HINCRBY', KEYS[4], 'pictures_begun', 1)
return { source, redis.call('HINCRBY', KEYS[3], ARGV[1], 1), v[2] }
`;

/**
 * Settles a picture: the first result wins, any other changes nothing.
 * KEYS job, out, settled, begun, part, parts, dead, deadOrder, totals
 * ARGV index, part, part size, now, pages, result, dead letter or '', most failed pictures, their code, their message,
 *   length of the window of the rate in ms
 * Gives whether it was the first, whether the job's pictures are all settled, whether the part's are, and how many are out.
 */
const settle = `${END_IF_SETTLED}
local job = KEYS[1]
if redis.call('HGET', job, 'state') ~= 'running' then return { 0, 0, 0, 0 } end
if redis.call('SETBIT', KEYS[3], ARGV[1], 1) == 1 then return { 0, 0, 0, redis.call('HLEN', KEYS[2]) } end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
redis.call('HSET', KEYS[5], ARGV[1], ARGV[6])
redis.call('SADD', KEYS[6], ARGV[2])
if ARGV[7] == '' then
  redis.call('HINCRBY', job, 'done', 1)
  redis.call('HINCRBY', job, 'pages', ARGV[5])
  redis.call('HINCRBY', KEYS[9], 'pictures_done', 1)
  redis.call('HINCRBY', KEYS[9], 'pages', ARGV[5])
else
  local failed = redis.call('HINCRBY', job, 'failed', 1)
  redis.call('HSET', KEYS[7], ARGV[1], ARGV[7])
  redis.call('ZADD', KEYS[8], ARGV[1], ARGV[1])
  redis.call('HINCRBY', KEYS[9], 'pictures_failed', 1)
  if failed >= tonumber(ARGV[8]) and redis.call('HGET', job, 'listed') ~= '1' then
    redis.call('HSET', job, 'stopped', 1, 'errorCode', ARGV[9], 'errorMessage', ARGV[10])
  end
end
local since = tonumber(redis.call('HGET', job, 'windowSince') or '0')
local inWindow = redis.call('HINCRBY', job, 'windowCount', 1)
local passed = tonumber(ARGV[4]) - since
if passed >= tonumber(ARGV[11]) then
  if since > 0 then redis.call('HSET', job, 'rate', string.format('%.4f', inWindow * 1000 / passed)) end
  redis.call('HSET', job, 'windowSince', ARGV[4], 'windowCount', 0)
end
local first = tonumber(ARGV[2]) * tonumber(ARGV[3])
local v = redis.call('HMGET', job, 'found', 'listed', 'stopped')
local size = tonumber(ARGV[3])
if v[2] == '1' or v[3] == '1' then size = math.min(size, tonumber(v[1]) - first) end
local full = 0
if redis.call('BITCOUNT', KEYS[3], first / 8, (first + tonumber(ARGV[3])) / 8 - 1) >= size then full = 1 end
return { 1, endIfSettled(job), full, redis.call('HLEN', KEYS[2]) }
`;

/** Forgets results that were written, unless they have changed since. KEYS part, parts; ARGV part, index, result, ... */
const dropWritten = `
for i = 2, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[2], ARGV[1]) end
return 1
`;

/** KEYS job, out, again, sources, begun. Gives 1, or 0 where the job has ended already. */
const cancel = `
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'queued' and state ~= 'running' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'finishing', 'cancelled', 1)
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
return 1
`;

/**
 * Ends a job whose index is written. KEYS job, active, totals, webhooks, out, again, sources, begun, settled, dead,
 * deadOrder, parts; ARGV id, now, ms to keep it, '1' where there is a webhook. Gives 1 the first time.
 */
const finish = `
local v = redis.call('HMGET', KEYS[1], 'state', 'cancelled', 'errorCode', 'same', 'sameStays')
if v[1] ~= 'finishing' then return 0 end
local state = 'done'
if v[2] then state = 'cancelled' elseif v[3] then state = 'failed' end
redis.call('HSET', KEYS[1], 'state', state, 'finished', ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HINCRBY', KEYS[3], 'jobs_' .. state, 1)
if ARGV[4] == '1' then
  redis.call('HSET', KEYS[1], 'webhook', 'waiting')
  redis.call('SADD', KEYS[4], ARGV[1])
end
redis.call('DEL', KEYS[5], KEYS[6], KEYS[8])
if redis.call('HGET', KEYS[1], 'listed') == '1' or v[2] then redis.call('DEL', KEYS[7]) end
if redis.call('GET', v[4]) == ARGV[1] then
  if v[5] == '1' then redis.call('PEXPIRE', v[4], ARGV[3]) else redis.call('DEL', v[4]) end
end
for _, part in ipairs(redis.call('SMEMBERS', KEYS[12])) do redis.call('PEXPIRE', KEYS[1] .. ':part:' .. part, ARGV[3]) end
for _, i in ipairs({ 1, 7, 9, 10, 11, 12 }) do redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
return 1
`;

/**
 * Gives the failed pictures of an ended job another chance, and its listing where that had stopped.
 * KEYS job, active, again, settled, dead, deadOrder, parts, sources; ARGV id, part size, most active jobs.
 * Gives how many pictures that are, -1 where the job has not ended, -2 where there is nothing to do again, -3 where the
 * queue is full.
 */
const retry = `
local v = redis.call('HMGET', KEYS[1], 'state', 'stopped', 'same')
if v[1] ~= 'done' and v[1] ~= 'failed' then return -1 end
local indexes = redis.call('ZRANGE', KEYS[6], 0, -1)
if #indexes == 0 and v[2] ~= '1' then return -2 end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return -3 end
for _, index in ipairs(indexes) do
  local letter = cjson.decode(redis.call('HGET', KEYS[5], index))
  redis.call('SETBIT', KEYS[4], index, 0)
  redis.call('HDEL', KEYS[1] .. ':part:' .. math.floor(tonumber(index) / tonumber(ARGV[2])), index)
  redis.call('RPUSH', KEYS[3], index .. ' ' .. letter.source)
end
redis.call('DEL', KEYS[5], KEYS[6])
for _, i in ipairs({ 1, 4, 7, 8 }) do redis.call('PERSIST', KEYS[i]) end
for _, part in ipairs(redis.call('SMEMBERS', KEYS[7])) do redis.call('PERSIST', KEYS[1] .. ':part:' .. part) end
redis.call('HSET', KEYS[1], 'state', 'running', 'failed', 0, 'windowSince', 0, 'windowCount', 0)
redis.call('HDEL', KEYS[1], 'stopped', 'errorCode', 'errorMessage', 'finished', 'rate', 'webhook', 'listTries', 'listAfter')
redis.call('HINCRBY', KEYS[1], 'round', 1)
redis.call('ZADD', KEYS[2], redis.call('HGET', KEYS[1], 'created'), ARGV[1])
return #indexes
`;

/** Leaves a lock for a moment longer, if it is still ours. KEYS lock; ARGV token, ms. */
const release = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`;

/** Every script, as text, by its name. */
export const SCRIPTS = {
  create,
  reserve,
  stopListing,
  reserveAgain,
  begin,
  settle,
  dropWritten,
  cancel,
  finish,
  retry,
  release,
} as const;
