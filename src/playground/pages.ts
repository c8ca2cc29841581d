/** The pages as they are served: their frame, without any data. Their scripts fill them. */
import { html } from 'hono/html'
import { examples } from './examples.ts'
import type { policies } from './headers.ts'

/** The schemas of the contract, below `/schema/`. */
const schemaFiles = ['request', 'event', 'turn', 'reply'].map((name) => `${name}.schema.json`)

type Html = ReturnType<typeof html>

/** A page, under the path at which it is served. */
export interface Page {
	readonly path: string
	readonly title: string
	/** The name of its script, without the extension. */
	readonly script: string
	readonly body: Html
	/** Style sheets of its own, by name. Absent: none. */
	readonly styles?: readonly string[]
	/** What it may do. Absent: as little as its own code needs. */
	readonly policy?: keyof typeof policies
}

const preview: Page = {
	path: '/preview',
	title: 'Preview',
	script: 'preview',
	body: html`
<main class="split">
	<section class="source" aria-labelledby="source-heading">
		<div class="bar">
			<h1 id="source-heading">Reply</h1>
			<label class="field"><span class="hidden">Example</span>
				<select id="example">${examples.map(({ name }, i) => html`<option value="${String(i)}">${name}</option>`)}</select>
			</label>
			<button type="button" id="share" class="quiet">Copy link</button>
		</div>
		<div id="editor" class="editor"></div>
		<div id="mistakes" class="mistakes" role="status"></div>
	</section>
	<section id="wall" class="wall" aria-label="The reply on each platform"></section>
</main>`,
}

const talk: Page = {
	path: '/',
	title: 'Talk',
	script: 'talk',
	body: html`
<main>
	<form id="say" class="bar say" aria-labelledby="say-heading">
		<h1 id="say-heading">Talk as a user</h1>
		<input id="words" name="words" autocomplete="off" maxlength="10000" required aria-label="What the user says on all platforms" placeholder="Say something on all platforms">
		<button class="primary">Send to all</button>
		<button type="button" id="open" class="quiet">Open all chats</button>
		<button type="button" id="again" class="quiet">New conversations</button>
	</form>
	<div id="hints" class="bar hints"></div>
	<section id="chats" class="wall" aria-label="The same bot on each platform"></section>
</main>`,
}

const live: Page = {
	path: '/live',
	title: 'Live',
	script: 'live',
	body: html`
<main class="live">
	<section class="turns" aria-labelledby="turns-heading">
		<div class="bar">
			<h1 id="turns-heading">Turns</h1>
			<input id="filter" type="search" aria-label="Show only turns with these words" placeholder="Filter: words, route, platform, error">
			<button type="button" id="pause" class="quiet" aria-pressed="false">Pause</button>
		</div>
		<div id="list"></div>
		<p id="count" class="count" role="status"></p>
	</section>
	<section id="detail" class="detail" aria-label="The chosen turn"></section>
</main>`,
}

const events: Page = {
	path: '/events',
	title: 'Events',
	script: 'events',
	body: html`
<main class="split">
	<section class="source" aria-labelledby="source-heading">
		<div class="bar">
			<h1 id="source-heading">From</h1>
			<label class="field"><span class="hidden">What is written</span>
				<select id="kind"><option value="">An event</option></select>
			</label>
			<button type="button" id="share" class="quiet">Copy link</button>
		</div>
		<div id="editor" class="editor"></div>
		<div id="mistakes" class="mistakes" role="status"></div>
	</section>
	<section id="wall" class="wall" aria-label="What an upstream of each format gets"></section>
</main>`,
}

const contract: Page = {
	path: '/contract',
	title: 'Contract',
	script: 'contract',
	styles: ['scalar'],
	policy: 'rendered',
	body: html`
<div class="bar documents">
	<label class="field">For <select id="route"><option value="">any backend</option></select></label>
	<nav class="files" aria-label="The contract as files">
		<span>As files</span>
		<a class="file" id="document" href="/schema/openapi.json">openapi.json</a>
		${schemaFiles.map((name) => html`<a class="file" href="/schema/${name}">${name}</a>`)}
	</nav>
</div>
<div id="reference"></div>`,
}

/** All pages, in the order of the navigation. */
export const pages: readonly Page[] = [talk, preview, live, events, contract]

/** The whole document of a page. */
export function documentOf({ path, title, script, styles = [], body }: Page): Html {
	return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Dragoman</title>
<link rel="icon" href="/assets/icon.svg">
${styles.map((name) => html`<link rel="stylesheet" href="/assets/${name}.css">`)}
<link rel="stylesheet" href="/assets/playground.css">
<script src="/assets/theme.js"></script>
<script type="module" src="/assets/${script}.js"></script>
</head>
<body class="page-${script}">
<header class="top">
	<span class="brand">Dragoman</span>
	<nav aria-label="Pages">
		${pages.map((page) => html`<a href="${page.path}" ${page.path === path ? html`aria-current="page"` : ''}>${page.title}</a>`)}
	</nav>
	<button type="button" id="theme" class="quiet">Theme: system</button>
</header>
${body}
</body>
</html>`
}
