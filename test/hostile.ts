/** Texts, keys and other strings that a format may trip over, as fast-check arbitraries. */
import fc from 'fast-check'

const listed = (words: string) => words.trim().split(/\s+/)

/** The platforms' own field names: an author may use each of them as a key or a text. */
const fieldNames = listed(`
	type text message messages title subtitle value name url delay elements buttons gallery cards
	responses quickreplies memory user_attributes suggested_replies blocked_input attributes parameters userAttributes
	session user event reply turn version control chatId messageId userId node sessionId conversationId result
	resolvedQuery default_id default_name default_email default_phone_number user_id bot_id module_id incoming_message
	time data ip payload token variables actions commands metadata challenge`)

const markup = [
	...listed(`::next:: one::next::two ::next::::next:: :::next::: \\agent \\_tdClose \\close\\end \\start /start
		\${x} $\${{x}} {{x}} {%{{ *x tdImage:http://a.example/b.png tdVideo:http://a.example/b.mp4 tdFrame:http://a.example/`),
	...['a \\agent b', '{{ user.name }}', '{% x %}', '* x', '*x\n* y *', '- x', '1. x', 'x\n* y'],
	...['a\n\nb', '\n\n', 'a\r\n\r\nb', '\n', ' ', '\t', ' padded ', 'a  b', '\u2060', '\u00a0', '\u200b', '\ufeffx'],
]

const unicode = [
	...['👨‍👩‍👧‍👦', '🏳️‍🌈', '🇩🇪🇫🇷', '👍🏽', 'e\u0301', 'नमस्ते', 'مرحبا', '你好', '\u202eabc', '\u0000', '\u2028'],
	...['\ud83d', '\ude00', 'a\ud83db', '\udc00\ud800'],
]

const spelling = listed(`
	null undefined true false 0 7 007 -1 1e400 12345678901234567890 0.10 NaN [] {} {"a":1} "quoted" it's \\ \\n %7B%zz a&b=c
	a+b <b>x</b> &amp; __proto__ constructor 2026-01-02T03:04:05Z urn:x toString (1/2) … Ja yes No`)

/** 24 hexadecimal digits, UUIDs, digits beyond a safe integer, and ids of no pattern. */
export const ids: fc.Arbitrary<string> = fc.oneof(
	fc.stringMatching(/^[0-9a-f]{24}$/),
	fc.uuid(),
	fc.stringMatching(/^[1-9][0-9]{17,20}$/),
	fc.constantFrom('1', 'user.0a1b.c', 'a b', 'support-group-1-2', '0'),
)

export const urls: fc.Arbitrary<string> = fc.oneof(
	fc.stringMatching(
		/^https?:\/\/[a-z]{2,8}\.example(:[1-9][0-9]{2,3})?\/[a-z0-9%._~-]{0,20}(\?[a-z]{1,4}=[a-z0-9%+]{0,8})?$/,
	),
	fc.constantFrom('http://a.example', 'https://a.example/b c.png', 'data:image/png;base64,AAAA', '/relative', 'x'),
	fc.nat(3000).map((n) => `https://a.example/${'p'.repeat(n)}`),
)

export const phones: fc.Arbitrary<string> = fc.oneof(
	fc.stringMatching(/^\+[1-9][0-9]{1,16}$/),
	fc.constantFrom('+49 30 1234', '030/1234', '+', '+1', '00491234567', 'tel:+4912', '+1234567890123456789'),
)

const plain = fc.oneof(
	fc.stringMatching(/^[a-z]{1,12}$/),
	fc.stringMatching(/^[A-Z][a-z]{2,8}( [a-z]{2,8}){1,6}[.?!]$/),
	fc.string({ unit: 'grapheme', minLength: 1, maxLength: 24 }),
)

// Just under, at and over the limits that platforms have, and far over.
const lengths = fc.constantFrom(19, 20, 21, 79, 80, 81, 255, 257, 640, 641, 1024, 1025, 1300, 2000, 2049, 5000)
const long = fc
	.tuple(
		fc.constantFrom('x', 'word ', 'é', '👨‍👩‍👧‍👦', 'Word, and more. ', '::next::', 'a\n', 'e\u0301', '😀'),
		lengths,
	)
	.map(([unit, length]) => unit.repeat(Math.ceil(length / unit.length)))

/** Keys that authors give: blanks, hyphens, any case, and names that objects have by themselves. */
export const keys = (words: readonly string[]): fc.Arbitrary<string> =>
	fc.oneof(
		{ arbitrary: fc.stringMatching(/^[a-z]{1,8}(_[a-z]{1,8})?$/), weight: 4 },
		{
			arbitrary: fc.constantFrom(
				'Phone number',
				'e-mail',
				'First.Name',
				' padded ',
				'',
				'0',
				'Größe',
				'a"b',
				'x[1]',
				'😀',
			),
			weight: 2,
		},
		{
			arbitrary: fc.constantFrom(
				'toString',
				'hasOwnProperty',
				'length',
				'valueOf',
				'$ref',
				'a\nb',
				'a\ud800',
				'k'.repeat(80),
			),
			weight: 1,
		},
		{ arbitrary: fc.constantFrom(...fieldNames, ...words), weight: 2 },
	)

/** Texts from plain to hostile, short to very long; never empty. `words` are more that the format gives a meaning to. */
export const texts = (words: readonly string[]): fc.Arbitrary<string> => {
	const tricky = fc.constantFrom(
		...fieldNames,
		...markup,
		...unicode,
		...spelling,
		...words.filter((word) => word !== ''),
	)
	const mixed = fc
		.tuple(fc.array(fc.oneof(plain, tricky), { minLength: 2, maxLength: 5 }), fc.constantFrom(' ', '\n', '', '\n\n'))
		.map(([parts, glue]) => parts.join(glue))
	return fc.oneof(
		{ arbitrary: plain, weight: 12 },
		{ arbitrary: tricky, weight: 8 },
		{ arbitrary: mixed, weight: 5 },
		{ arbitrary: long, weight: 1 },
	)
}

/** Texts of which one alone is more than a platform's ceiling for the whole body. */
export const huge: fc.Arbitrary<string> = fc
	.tuple(fc.constantFrom('word ', 'x', '😀'), fc.integer({ min: 40_000, max: 120_000 }))
	.map(([unit, length]) => unit.repeat(Math.ceil(length / unit.length)))
