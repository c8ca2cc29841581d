-- The load for wrk: sends the call in a file, each time with an event id of its own, and prints what came of it as JSON.
-- Arguments: the file, and a text of eight characters that no other run has. In the file, {{id}} stands for the event id
-- and {{conversation}} for that of the conversation.
local pieces, run, calls = {}, '', 0

function init(args)
	local file = assert(io.open(args[1]))
	local call = file:read('*a')
	file:close()
	run = args[2]
	local from = 1
	while true do
		local open, close = call:find('{{%a+}}', from)
		if not open then break end
		pieces[#pieces + 1] = call:sub(from, open - 1)
		pieces[#pieces + 1] = call:sub(open, close)
		from = close + 1
	end
	pieces[#pieces + 1] = call:sub(from)
end

-- A thousand conversations at the same time, of ten turns each.
local function conversation(n) return string.format('%s%016x', run, n % 1000 + math.floor(n / 10000) * 1000) end

function request()
	calls = calls + 1
	local body = {}
	for i, piece in ipairs(pieces) do
		if piece == '{{id}}' then
			body[i] = string.format('%s-%027d', run, calls)
		elseif piece == '{{conversation}}' then
			body[i] = conversation(calls)
		else
			body[i] = piece
		end
	end
	return wrk.format('POST', nil, { ['content-type'] = 'application/json' }, table.concat(body))
end

function done(summary, latency)
	local errors = summary.errors
	local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
	print(string.format(
		'{"turns":%d,"failed":%d,"seconds":%f,"p50":%f,"p99":%f}',
		summary.requests, failed, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
	))
end
