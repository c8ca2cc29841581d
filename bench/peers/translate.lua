-- The same translation as translate.mjs.
local json = require 'cjson'

ngx.req.read_body()
local call = json.decode(ngx.req.get_body_data())
local node, attributes, user = call.node, call.attributes, call.userAttributes
local others = {}
for name, value in pairs(user) do
	if name ~= 'default_name' and name ~= 'default_email' then others[name] = value end
end
local native = {}
for name, value in pairs(node) do
	if name ~= 'id' and name ~= 'name' then native[name] = value end
end
local event = {
	id = call.messageId,
	kind = 'message',
	sender = 'user',
	conversation = call.chatId,
	user = {
		id = call.userId,
		externalId = call.externalId,
		name = user.default_name,
		email = user.default_email,
		attributes = others,
	},
	text = attributes.foo,
	trigger = { kind = 'block', id = node.id, name = node.name },
	attributes = attributes,
	extensions = { ['chatbot-v2'] = { node = native } },
}
local answer = ngx.location.capture('/hook', {
	method = ngx.HTTP_POST,
	body = json.encode({ version = 1, event = event }),
})

local reply = json.decode(answer.body)
local responses = {}
for i, message in ipairs(reply.messages) do
	if message.type == 'text' then
		responses[i] = { type = 'text', delay = 100, message = message.text }
	else
		local buttons = {}
		for j, choice in ipairs(message.choices) do
			buttons[j] = { type = 'postback', title = choice.title, value = choice.value }
		end
		responses[i] = { type = 'quickReplies', delay = 100, title = message.text, buttons = buttons }
	end
end
ngx.header['content-type'] = 'application/json'
ngx.print(json.encode({ responses = responses, attributes = reply.attributes.session }))
