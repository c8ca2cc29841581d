/** Declares the configuration and the adapters that are bundled with the Worker; `[alias]` in wrangler.toml names the files. */
declare module '#gateway-config' {
	const config: unknown
	export default config
}

declare module '#adapters' {
	/** At least those that the configuration names. */
	export const adapters: typeof import('../../adapters/index.ts').adapters
}
