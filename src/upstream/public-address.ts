/** Tells public IP addresses from local, private and reserved ones. */

const quad = /^\d+(?:\.\d+){3}$/
const localName = /(?:^|\.)localhost\.?$/

// The entries of IANA's registry of special-purpose addresses (RFC 6890) that are not globally reachable.
const nonPublic4 = [
	'0.0.0.0/8', // this network
	'10.0.0.0/8', // private (RFC 1918)
	'100.64.0.0/10', // carrier-grade NAT (RFC 6598); metadata service of some clouds
	'127.0.0.0/8', // loopback
	'169.254.0.0/16', // link-local (RFC 3927); metadata service of most clouds
	'172.16.0.0/12', // private (RFC 1918)
	'192.0.0.0/24', // protocol assignments (RFC 6890); metadata service of some clouds
	'192.0.2.0/24', // documentation (RFC 5737)
	'192.88.99.0/24', // 6to4 relays, deprecated (RFC 7526)
	'192.168.0.0/16', // private (RFC 1918)
	'198.18.0.0/15', // benchmarks (RFC 2544)
	'198.51.100.0/24', // documentation
	'203.0.113.0/24', // documentation
	'224.0.0.0/4', // multicast (RFC 5771)
	'240.0.0.0/4', // reserved (RFC 1112), and broadcast (RFC 919)
	// In no registry: Azure's host service for virtual machines.
	'168.63.129.16/32',
].map(prefixOf)

// Global unicast. Loopback, private, link-local, multicast and IPv4-mapped addresses are outside of it.
const globalUnicast6 = prefixOf('2000::/3')

const nonPublic6 = [
	'2001::/23', // protocol assignments (RFC 2928), including Teredo and benchmarking
	'2001:db8::/32', // documentation (RFC 3849)
	'2002::/16', // 6to4 (RFC 3056): an IPv4 address in another form
	'3fff::/20', // documentation (RFC 9637)
].map(prefixOf)

/** NAT64 (RFC 6052): the last 32 bits are an IPv4 address. */
const nat64 = prefixOf('64:ff9b::/96')

/**
 * Whether an IPv4 or IPv6 address is public, by IANA's registries of special-purpose addresses (RFC 6890) and of IPv6
 * global unicast. False for anything that is not an address, and for an address with a zone.
 */
export function isPublicAddress(address: string): boolean {
	const bits = bitsOf(address)
	if (bits === undefined) return false
	if (bits.length === 32) return !nonPublic4.some((prefix) => bits.startsWith(prefix))
	if (bits.startsWith(nat64)) return !nonPublic4.some((prefix) => bits.startsWith(prefix, nat64.length))
	return bits.startsWith(globalUnicast6) && !nonPublic6.some((prefix) => bits.startsWith(prefix))
}

/**
 * Whether a host, in the notation of `URL.hostname`, may have a public address. True for every name but those of
 * localhost (RFC 6761): only DNS knows the addresses of the others.
 */
export function mayBePublic(hostname: string): boolean {
	if (hostname.startsWith('[')) return isPublicAddress(hostname.slice(1, -1))
	if (quad.test(hostname)) return isPublicAddress(hostname)
	return !localName.test(hostname)
}

/** The 32 or 128 bits of an address as digits; undefined if the text is not an address. */
function bitsOf(address: string): string | undefined {
	if (!/^[\da-f.:]+$/i.test(address)) return undefined
	// An address has many spellings; the URL parser normalises them all.
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
