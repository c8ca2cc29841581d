/** Declares what the configuration decides of the Worker's bundle; `[alias]` in wrangler.toml names the files. */
declare module '#gateway-config' {
	const config: unknown
	export default config
}

declare module '#adapters' {
	/** At least those that the configuration names. */
	export const adapters: typeof import('../../adapters/index.ts').adapters
}

declare module '#compact-jwe' {
	/** Empty where the configuration has no URLs for replies: then it is never loaded. */
	export const { encryptCompact, decryptCompact }: typeof import('../compact-jwe.ts')
}
