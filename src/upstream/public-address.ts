/** Which addresses are on the public Internet, and which are of a machine, a network, or nobody. Pure data, and a look at it. */

const quad = /^\d+(?:\.\d+){3}$/
const ownName = /(?:^|\.)localhost\.?$/

// IANA's registries of special-purpose addresses (RFC 6890), as far as they say "not globally reachable".
const closed4 = [
	'0.0.0.0/8', // this network
	'10.0.0.0/8', // private (RFC 1918)
	'100.64.0.0/10', // shared behind a carrier's NAT (RFC 6598); of some clouds, metadata
	'127.0.0.0/8', // loopback
	'169.254.0.0/16', // link-local (RFC 3927); of most clouds, metadata
	'172.16.0.0/12', // private (RFC 1918)
	'192.0.0.0/24', // protocols (RFC 6890); of some clouds, metadata
	'192.0.2.0/24', // documentation (RFC 5737)
	'192.88.99.0/24', // relays of 6to4, which are no more (RFC 7526)
	'192.168.0.0/16', // private (RFC 1918)
	'198.18.0.0/15', // benchmarks (RFC 2544)
	'198.51.100.0/24', // documentation
	'203.0.113.0/24', // documentation
	'224.0.0.0/4', // multicast (RFC 5771)
	'240.0.0.0/4', // reserved (RFC 1112), and broadcast (RFC 919)
	// In no registry: the host of a virtual machine at Azure, at an address like any other's.
	'168.63.129.16/32',
].map(prefixOf)

// All that IANA has given out so far. Loopback, private, link-local, multicast and IPv4-mapped addresses are outside.
const open6 = prefixOf('2000::/3')

const closed6 = [
	'2001::/23', // protocols (RFC 2928), Teredo and benchmarks among them
	'2001:db8::/32', // documentation (RFC 3849)
	'2002::/16', // 6to4 (RFC 3056): an IPv4 address in another form
	'3fff::/20', // documentation (RFC 9637)
].map(prefixOf)

/** NAT64 (RFC 6052): the last 32 bits are the IPv4 address that is meant. */
const translated = prefixOf('64:ff9b::/96')

/**
 * Whether an IPv4 or IPv6 address is one of the public Internet, by IANA's registries of special-purpose addresses
 * (RFC 6890) and of IPv6's global unicast. What is no address, or has a zone, is not.
 */
export function isPublicAddress(address: string): boolean {
	const bits = bitsOf(address)
	if (bits === undefined) return false
	if (bits.length === 32) return !closed4.some((prefix) => bits.startsWith(prefix))
	if (bits.startsWith(translated)) return !closed4.some((prefix) => bits.startsWith(prefix, translated.length))
	return bits.startsWith(open6) && !closed6.some((prefix) => bits.startsWith(prefix))
}

/**
 * Whether the host of a URL, as `URL.hostname` has it, may be at a public address: a name leads where its resolver says,
 * unless it is one of this machine (RFC 6761).
 */
export function mayBePublic(hostname: string): boolean {
	if (hostname.startsWith('[')) return isPublicAddress(hostname.slice(1, -1))
	if (quad.test(hostname)) return isPublicAddress(hostname)
	return !ownName.test(hostname)
}

/** The bits of an address in order, 32 or 128 of them; undefined when it is none. */
function bitsOf(address: string): string | undefined {
	if (!/^[\da-f.:]+$/i.test(address)) return undefined
	// There are many spellings, and one parser that knows them all.
	const host = URL.parse(`http://${address.includes(':') ? `[${address}]` : address}/`)?.hostname ?? ''
	if (quad.test(host)) return binary(host.split('.').map(Number), 8)
	if (!host.startsWith('[')) return undefined
	const [before = [], after = []] = host
		.slice(1, -1)
		.split('::')
		.map((part) => part.split(':').filter((group) => group !== ''))
	const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
	const groups = [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16))
	return binary(groups, 16)
}

function binary(numbers: readonly number[], digits: number): string {
	return numbers.map((number) => number.toString(2).padStart(digits, '0')).join('')
}

function prefixOf(network: string): string {
	const [address = '', length] = network.split('/')
	const bits = bitsOf(address)
	if (bits === undefined) throw new TypeError(`${network} is not a network`)
	return bits.slice(0, Number(length))
}
