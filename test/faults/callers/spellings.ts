/** URLs that lead to this machine, its neighbours or its cloud, each spelled so that it might not look like it. */
import { oneOf } from '../../harness/random.ts'

/** IPv4 addresses that are not public: of each range one, and what clouds have their metadata at. */
const addresses = [
	...['127.0.0.1', '127.255.255.254', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.254', '192.168.0.1'],
	...['169.254.169.254', '169.254.170.2', '100.64.0.1', '100.100.100.200', '192.0.0.192', '168.63.129.16'],
	...['198.18.0.1', '192.0.2.1', '198.51.100.1', '203.0.113.1', '192.88.99.1'],
	...['224.0.0.1', '240.0.0.1', '255.255.255.255'],
]

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const hex = (number: number): string => `0x${number.toString(16)}`
const octal = (number: number): string => `0${number.toString(8)}`
const eachPart = (address: string, spell: (part: number) => string): string =>
	address.split('.').map(Number).map(spell).join('.')
const eachDigit = (address: string, first: string): string =>
	address.replace(/\d/g, (digit) => String.fromCodePoint((first.codePointAt(0) ?? 0) + Number(digit)))
const last = (address: string, parts: number): string => {
	const all = address.split('.')
	return [...all.slice(0, parts - 1), numberOf(all.slice(parts - 1).join('.'))].join('.')
}

/** Ways to write an IPv4 address as the host of a URL. */
const spellings: readonly ((address: string) => string)[] = [
	(address) => address,
	(address) => `${address}.`,
	(address) => String(numberOf(address)),
	(address) => hex(numberOf(address)),
	(address) => hex(numberOf(address)).toUpperCase(),
	(address) => octal(numberOf(address)),
	(address) => eachPart(address, hex),
	(address) => eachPart(address, octal),
	(address) => eachPart(address, (part) => `0x0000${part.toString(16)}`),
	(address) => eachPart(address, (part) => `000${octal(part)}`),
	(address) =>
		address
			.split('.')
			.map((part, i) => [part, hex(Number(part)), octal(Number(part))][i % 3])
			.join('.'),
	(address) => last(address, 2),
	(address) => last(address, 3),
	(address) => eachDigit(address, '\uff10'),
	(address) => address.replaceAll('.', '\u3002'),
	(address) => address.replaceAll('.', '%2e'),
	(address) => address.replace(/\d/g, (digit) => `%3${digit}`),
	(address) => address.replaceAll('0', '\u24ea'),
	(address) => address.replace('.', '.\u00ad'),
	(address) => `[::ffff:${address}]`,
	(address) => `[::FFFF:${hex(numberOf(address) >>> 16).slice(2)}:${hex(numberOf(address) & 0xffff).slice(2)}]`,
	(address) => `[0:0:0:0:0:ffff:${address}]`,
	(address) => `[::${address}]`,
	(address) => `[64:ff9b::${address}]`,
	(address) => `[64:ff9b:1::${address}]`,
	(address) => `[2002:${hex(numberOf(address) >>> 16).slice(2)}:${hex(numberOf(address) & 0xffff).slice(2)}::1]`,
]

const hosts6 = [
	...['[::1]', '[0:0:0:0:0:0:0:1]', '[0000:0000::0001]', '[::]', '[::0.0.0.1]', '[fe80::1]', '[febf::1]', '[fec0::1]'],
	...['[fc00::1]', '[fd00:ec2::254]', '[fd20:ce::254]', '[ff02::1]', '[ff0e::1]', '[100::1]', '[5f00::1]'],
	...['[2001::1]', '[2001:0:7f00:1::]', '[2001:2::1]', '[2001:db8::1]', '[3fff::1]', '[::1%25lo]', '[::1%lo]'],
]

/** Names that are this machine's own, and names that somebody's resolver answers. */
const names = [
	...['localhost', 'LOCALHOST', 'localhost.', 'bot.localhost', '\u24dbocalhost', 'local\u00adhost', '%6cocalhost'],
	...['rebound.test', '127.0.0.1.nip.test', 'metadata.test', 'backend.test.'],
]

/** Whole URLs whose parts look like other parts, for one port. */
function confusing(port: number): string[] {
	const to = `127.0.0.1:${port}`
	return [
		...[`http://backend.test@${to}/`, `http://backend.test:80@${to}/`, `http://${to}@backend.test:${port}/`],
		...[`http://backend.test%40${to}/`, `http://a:b@${to}/`, `http://@${to}/`, `http://:@${to}/`],
		...[`http://${to}#.backend.test`, `http://${to}/#@backend.test`, `http://backend.test:${port}#@${to}/`],
		...[`http://${to}?.backend.test/`, `http://backend.test:${port}?@${to}/`, `http://${to}\\.backend.test/`],
		...[`http://backend.test:${port}\\@${to}/`, `http:\\\\${to}\\`, `http:/${to}/`, `http:${to}/`, `http:////${to}/`],
		...[`http:/\\${to}/`, ` http://${to}/ `, `\0http://${to}/`, `ht\ntp://127.0.\t0.1:${port}/`, `HTTP://${to}/`],
		...[
			`http://127.0.0.1:0${port}/`,
			`http://127.0.0.1:${port}`,
			`http://${to}/..//backend.test/`,
			`http://[::1]:${port}/x`,
		],
		...[`//${to}/`, `${to}/`, `file://${to}/`, `gopher://${to}/`, `ws://${to}/`, `blob:http://${to}/`],
	]
}

/** All of them, for a listener at this port. */
export function spelledUrls(port: number): string[] {
	const hosts = [...addresses.flatMap((address) => spellings.map((spell) => spell(address))), ...hosts6, ...names]
	return [...confusing(port), ...hosts.map((host) => `http://${host}:${port}/`)]
}

/** An address that is not public, and one way to write it, by chance. */
export function someUrl(port: number, random: () => number): string {
	const byte = (): number => Math.floor(random() * 256)
	const [first = '', second] = oneOf(ranges, random)
	const address = [first, second ?? byte(), byte(), byte()].join('.')
	return `http://${oneOf(spellings, random)(address)}:${port}/`
}

const ranges = [
	['127'],
	['10'],
	['0'],
	['169', '254'],
	['192', '168'],
	['172', '20'],
	['100', '99'],
	['198', '19'],
	['230'],
	['251'],
]
