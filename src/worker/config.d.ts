/** Declares the configuration that is bundled with the Worker; `[alias]` in wrangler.toml names its file. */
declare module '#gateway-config' {
	const config: unknown
	export default config
}
