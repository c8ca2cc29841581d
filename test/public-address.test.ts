/** Which addresses are public: the ends of every range that is not, and the addresses beside them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPublicAddress, mayBePublic } from '../src/upstream/index.ts'

/** First and last address of what is not public, and those before and behind it, as far as they are public. */
const ranges: readonly (readonly [what: string, first: string, last: string, before?: string, behind?: string])[] = [
	['this network', '0.0.0.0', '0.255.255.255', undefined, '1.0.0.0'],
	['private', '10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
	["behind a carrier's NAT", '100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
	['loopback', '127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.0'],
	['link-local', '169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
	['private', '172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
	['protocols', '192.0.0.0', '192.0.0.255', '191.255.255.255', '192.0.1.0'],
	['documentation', '192.0.2.0', '192.0.2.255', '192.0.1.255', '192.0.3.0'],
	['relays of 6to4', '192.88.99.0', '192.88.99.255', '192.88.98.255', '192.88.100.0'],
	['private', '192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
	['benchmarks', '198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'],
	['documentation', '198.51.100.0', '198.51.100.255', '198.51.99.255', '198.51.101.0'],
	['documentation', '203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'],
	['multicast, reserved and broadcast', '224.0.0.0', '255.255.255.255', '223.255.255.255'],
	['the host of a virtual machine', '168.63.129.16', '168.63.129.16', '168.63.129.15', '168.63.129.17'],
	['unspecified, loopback, IPv4-compatible', '::', '::ffff:ffff'],
	['IPv4-mapped', '::ffff:0:0', '::ffff:ffff:ffff'],
	['a public address, IPv4-mapped', '::ffff:8.8.8.8', '::ffff:8.8.8.8'],
	['NAT64 of one network', '64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff'],
	['discard', '100::', '100::ffff:ffff:ffff:ffff'],
	['what was never given out', '64:ff9b::1:0:0', '1fff:ffff::', undefined, '2000::'],
	['protocols, Teredo among them', '2001::', '2001:1ff:ffff::', '2000:ffff::', '2001:200::'],
	['documentation', '2001:db8::', '2001:db8:ffff:ffff::', '2001:db7:ffff::', '2001:db9::'],
	['6to4', '2002::', '2002:ffff:ffff::', '2001:ffff::', '2003::'],
	['documentation', '3fff::', '3fff:fff:ffff::', '3ffe:ffff::', '3fff:1000::'],
	['what was never given out', '4000::', 'fbff:ffff::', '3fff:ffff:ffff::'],
	['unique local', 'fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
	['link-local, site-local', 'fe80::', 'feff:ffff::'],
	['multicast', 'ff00::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
]

test.each(ranges)('%s: %s to %s is not public', (_, first = '', last = '', before, behind) => {
	expect([first, last].map((each) => isPublicAddress(each))).toEqual([false, false])
	for (const beside of [before, behind])
		if (beside !== undefined) expect([beside, isPublicAddress(beside)]).toEqual([beside, true])
})

test.each(ranges.filter(([, first]) => !first.includes(':')))('through NAT64 %s stays what it is', (_, ...ends) => {
	const [first = '', last = '', ...beside] = ends
	expect(isPublicAddress(`64:ff9b::${first}`)).toBe(false)
	expect(isPublicAddress(`64:ff9b::${last}`)).toBe(false)
	for (const each of beside) if (each !== undefined) expect(isPublicAddress(`64:ff9b::${each}`)).toBe(true)
})

test.each([
	'',
	'localhost',
	'a',
	'fe80::1%eth0',
	'2606:4700::1111%1',
	'8.8.8.8.8',
	'1:2',
	'[2606:4700::1111]',
	'8.8.8.8/8',
	' 8.8.8.8',
	'x@8.8.8.8',
])('what is no address is not public: %j', (text) => expect(isPublicAddress(text)).toBe(false))

const octet = fc.integer({ min: 0, max: 255 })

test('an address is recognised in every spelling that a URL may have', () => {
	fc.assert(
		fc.property(octet, octet, octet, octet, (a, b, c, d) => {
			const plain = `${a}.${b}.${c}.${d}`
			const number = ((a * 256 + b) * 256 + c) * 256 + d
			const hex = (part: number) => `0x${part.toString(16)}`
			const octal = (part: number) => `0${part.toString(8)}`
			const spellings = [plain, `${plain}.`, number, hex(number), [a, b, c, d].map(hex).join('.')]
			const others = [[a, b, c, d].map(octal).join('.'), `${a}.${(b * 256 + c) * 256 + d}`, `${a}.${b}.${c * 256 + d}`]
			for (const host of [...spellings, ...others]) {
				expect(mayBePublic(new URL(`http://${host}/`).hostname)).toBe(isPublicAddress(plain))
			}
			expect(mayBePublic(new URL(`http://[::ffff:${plain}]/`).hostname)).toBe(false)
		}),
	)
})

test.each(['localhost', 'localhost.', 'bot.localhost', 'bot.localhost.'])('%s is a name of this machine', (name) => {
	expect(mayBePublic(name)).toBe(false)
})

test.each(['backend.example', 'localhost.example', 'notlocalhost', 'backend', '8.8.8.8', '[2606:4700::1111]'])(
	'%s may be public',
	(host) => expect(mayBePublic(host)).toBe(true),
)
