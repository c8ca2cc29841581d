/** The configuration that goes into the bundle: a file of one's own choice, see `[alias]` in wrangler.toml. */
declare module '#gateway-config' {
	const config: unknown
	export default config
}
