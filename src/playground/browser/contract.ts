/** The page that shows the contract with the backend of a route, or with any, as Scalar renders its OpenAPI document. */
import type { TalkPlace } from '../talk.ts'
import { ask } from './ask.ts'
import { byId } from './page.ts'

// The validator in it would compile code of its own, which the policy of the page forbids and the browser reports.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } })
const { createApiReference } = await import('@scalar/api-reference')

const route = byId('route', HTMLSelectElement)
const names = [...new Set((await ask<readonly TalkPlace[]>('/api/places')).map((place) => place.route))]
const [only, ...others] = names
const asked = new URLSearchParams(location.search).get('route') ?? (others.length === 0 ? only : undefined) ?? ''
route.append(...names.map((name) => new Option(`the route ${name}`, name)))
route.value = names.includes(asked) ? asked : ''
route.addEventListener('change', () => {
	location.search = new URLSearchParams({ route: route.value }).toString()
})
const url = route.value === '' ? '/schema/openapi.json' : `/schema/routes/${encodeURIComponent(route.value)}`
byId('document', HTMLAnchorElement).href = url

const dark = matchMedia('(prefers-color-scheme: dark)')

createApiReference('#reference', {
	url,
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
