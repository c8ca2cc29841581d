/** Light or dark: as the system says, or as the user chose; set before anything is painted. */
const order = ['system', 'light', 'dark'] as const
type Theme = (typeof order)[number]

const key = 'dragoman-theme'

function stored(): Theme {
	const value = localStorage.getItem(key)
	return order.find((theme) => theme === value) ?? 'system'
}

function apply(theme: Theme): void {
	if (theme === 'system') delete document.documentElement.dataset.theme
	else document.documentElement.dataset.theme = theme
	const button = document.getElementById('theme')
	if (button) button.textContent = `Theme: ${theme}`
}

apply(stored())
document.addEventListener('DOMContentLoaded', () => {
	apply(stored())
	document.getElementById('theme')?.addEventListener('click', () => {
		const next = order[(order.indexOf(stored()) + 1) % order.length] ?? 'system'
		localStorage.setItem(key, next)
		apply(next)
	})
})
