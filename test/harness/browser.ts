/** A real browser on the playground, which may ask nobody but this machine. */
import { execFileSync } from 'node:child_process'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Starts Chromium, which has to be installed. */
export function launch(): Promise<Browser> {
	const executablePath = execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim()
	const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
	return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', ...quiet] })
}

/** A page, and what must stay empty while it is used. */
export interface Visit {
	readonly page: Page
	/** Errors and warnings that the page or the browser reported, such as what the policy refused. */
	readonly complaints: string[]
	/** Requests to anybody but the playground. */
	readonly strangers: string[]
	close(): Promise<void>
}

/** Opens a page of the playground. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
	const page = await context.newPage()
	const complaints: string[] = []
	const strangers: string[] = []
	page.on('console', (message) => {
		if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
	})
	page.on('pageerror', (error) => complaints.push(error.stack ?? error.message))
	page.on('request', (request) => {
		if (new URL(request.url()).origin !== new URL(url).origin) strangers.push(request.url())
	})
	await page.goto(url)
	return { page, complaints, strangers, close: () => context.close() }
}
