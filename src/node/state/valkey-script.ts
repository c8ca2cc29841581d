/** The script that runs many asks inside Valkey or Redis: one round trip for all of them. */
import { limits } from '../../limits.ts'

/** Milliseconds after which anything is forgotten. */
const lifetime = limits.rememberedTime.value * 3_600_000

/** What the name of everything of the gateway begins with. */
export const prefix = 'dragoman:'

/**
 * The keys of a conversation; NAME is its stored name:
 *
 * - `dragoman:NAME:call:CALL`: a claim, `C`, its fence and the Nodes that wait for it, which lapses with its lease; or an
 *   answer, `A` and its text.
 * - `dragoman:NAME:answers`: what the answers are, oldest first, each with its time and its bytes.
 * - `dragoman:NAME:open`: the last replies, newest first; see open-choices.ts.
 * - `dragoman:NAME:late`: late replies, oldest first, each behind its time.
 *
 * KEYS are the stored names of the conversations, one an ask. ARGV is this Node's name, and then for each ask its kind and
 * what belongs to it. An ask that fails has no effect on the others. All times are the server's.
 */
export const script = `
local lifetime = ${lifetime}
local node = ARGV[1]
local at = 1
local time

local function arg()
	at = at + 1
	return ARGV[at]
end

local function now()
	if not time then
		local clock = redis.call('TIME')
		time = clock[1] * 1000 + math.floor(clock[2] / 1000)
	end
	return time
end

local function remember(conversation, call, bytes)
	local answers = conversation .. ':answers'
	redis.call('RPUSH', answers, string.format('%.0f %d %s', now(), bytes, call))
	redis.call('PEXPIRE', answers, lifetime)
	local all = redis.call('LRANGE', answers, 0, -1)
	local count, total = #all, 0
	for _, each in ipairs(all) do total = total + tonumber(string.match(each, '^%d+ (%d+)')) end
	for _, each in ipairs(all) do
		local since, size, name = string.match(each, '^(%d+) (%d+) (.*)$')
		local old = now() - since >= lifetime
		if not old and count <= ${limits.rememberedAnswers.value} and total <= ${limits.rememberedAnswersBytes.value} then break end
		redis.call('LPOP', answers)
		if not old then redis.call('DEL', conversation .. ':call:' .. name) end
		count = count - 1
		total = total - size
	end
end

local function release(conversation, call, fence, answer)
	local key = conversation .. ':call:' .. call
	local held = redis.call('GET', key)
	local mine = 'C' .. fence .. ' '
	if not held or string.sub(held, 1, #mine) ~= mine then return end
	local stored = answer ~= '' and redis.pcall('SET', key, 'A' .. answer, 'PX', lifetime)
	local full = stored and stored.err and stored
	if not stored or full then redis.call('DEL', key) end
	for each in string.gmatch(string.sub(held, #mine + 1), '%S+') do
		redis.call('PUBLISH', '${prefix}wake:' .. each, string.sub(conversation, ${prefix.length + 1}) .. ':' .. call)
	end
	if full then error(full.err) end
	if stored then remember(conversation, call, #answer) end
end

local function add(conversation, reply)
	local open = conversation .. ':open'
	local size = function(each) return #each - string.find(each, '\\n', 1, true) end
	local newest = redis.call('LINDEX', open, 0)
	if newest == reply or (not newest and size(reply) == 2) then return 1 end
	redis.call('LPUSH', open, reply)
	redis.call('PEXPIRE', open, lifetime)
	local bytes, kept, any, whole = 0, 0, false, 1
	for i, each in ipairs(redis.call('LRANGE', open, 0, -1)) do
		local offers = size(each) > 2
		bytes = bytes + size(each)
		if i <= ${limits.openReplies.value} and bytes <= ${limits.openChoicesBytes.value} then
			kept = i
			any = any or offers
		elseif i <= ${limits.openReplies.value} and offers then
			whole = 0
		end
	end
	if any then redis.call('LTRIM', open, 0, kept - 1) else redis.call('DEL', open) end
	return whole
end

local asks = {}

function asks.begin(conversation)
	local call, fence, lease, choices = arg(), arg(), tonumber(arg()), arg()
	return function()
		if call ~= '' then
			local key = conversation .. ':call:' .. call
			local held = redis.call('GET', key)
			if held then
				if string.sub(held, 1, 1) == 'A' then return {'answer', string.sub(held, 2)} end
				if not string.find(held, ' ' .. node .. ' ', 1, true) then redis.call('APPEND', key, node .. ' ') end
				return {'pending', redis.call('PTTL', key)}
			end
			if lease > 0 then redis.call('SET', key, 'C' .. fence .. ' ', 'PX', lease) end
		end
		local open = conversation .. ':open'
		if choices == 'close' then redis.call('DEL', open) end
		local replies = choices == 'read' and redis.call('LRANGE', open, 0, -1) or {}
		table.insert(replies, 1, 'replies')
		return replies
	end
end

function asks.settle(conversation)
	local call, fence, answer, reply = arg(), arg(), arg(), arg()
	return function()
		if call ~= '' then release(conversation, call, fence, answer) end
		return {'ok', reply == '' and 1 or add(conversation, reply)}
	end
end

function asks.addLateReply(conversation)
	local reply = arg()
	return function()
		local late = conversation .. ':late'
		local count, bytes = 0, 0
		for _, each in ipairs(redis.call('LRANGE', late, 0, -1)) do
			local since, text = string.match(each, '^(%d+) (.*)$')
			if now() - since >= lifetime then
				redis.call('LPOP', late)
			else
				count = count + 1
				bytes = bytes + #text
			end
		end
		if count >= ${limits.lateReplies.value} or bytes + #reply > ${limits.lateRepliesBytes.value} then return {'ok', 0} end
		redis.call('RPUSH', late, string.format('%.0f %s', now(), reply))
		redis.call('PEXPIRE', late, lifetime)
		return {'ok', 1}
	end
end

function asks.takeLateReplies(conversation)
	return function()
		local late = conversation .. ':late'
		local replies = {'replies'}
		for _, each in ipairs(redis.call('LRANGE', late, 0, -1)) do
			local since, text = string.match(each, '^(%d+) (.*)$')
			if now() - since < lifetime then table.insert(replies, text) end
		end
		redis.call('DEL', late)
		return replies
	end
end

local told = {}
for i, key in ipairs(KEYS) do
	local done, result = pcall(asks[arg()](key))
	if not done then result = {'failed', type(result) == 'table' and result.err or tostring(result)} end
	told[i] = result
end
return told
`
