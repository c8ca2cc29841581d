/** The page that shows the contract with backends, as Scalar renders its OpenAPI document. */

// The validator in it would compile code of its own, which the policy of the page forbids and the browser reports.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } })
const { createApiReference } = await import('@scalar/api-reference')

const dark = matchMedia('(prefers-color-scheme: dark)')

createApiReference('#reference', {
	url: '/schema/openapi.json',
	forceDarkModeState: isDark() ? 'dark' : 'light',
	hideDarkModeToggle: true,
	showSidebar: false,
	hideSearch: true,
	documentDownloadType: 'none',
	hiddenClients: true,
	expandAllResponses: true,
	// Whatever would ask or lead to another host, or call the backend from here, is off.
	withDefaultFonts: false,
	telemetry: false,
	proxyUrl: '',
	showDeveloperTools: 'never',
	hideClientButton: true,
	hideTestRequestButton: true,
	agent: { disabled: true },
	mcp: { disabled: true },
})

dark.addEventListener('change', follow)
new MutationObserver(follow).observe(document.documentElement, { attributeFilter: ['data-theme'] })

/** Scalar reads the mode of its configuration once, and later goes by these classes. */
function follow(): void {
	document.body.classList.toggle('dark-mode', isDark())
	document.body.classList.toggle('light-mode', !isDark())
}

function isDark(): boolean {
	const { theme } = document.documentElement.dataset
	return theme === undefined ? dark.matches : theme === 'dark'
}
