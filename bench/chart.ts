/** Draws bars as an SVG that can be read on a light and on a dark page. */

export interface Bar {
	readonly label: string
	readonly value: number
	/** The gateway itself. */
	readonly own: boolean
}

const [width, labelWidth, lineHeight, barHeight, top] = [760, 330, 30, 18, 44]

/** A chart with a bar for each value; `unit` stands behind each. */
export function chart(title: string, unit: string, bars: readonly Bar[]): string {
	const most = Math.max(...bars.map(({ value }) => value))
	const space = width - labelWidth - 100
	const lines = bars.map(({ label, value, own }, i) => {
		const y = top + i * lineHeight
		const length = Math.max(1, Math.round((value / most) * space))
		return [
			`\t<text x="${labelWidth - 10}" y="${y + 14}" text-anchor="end">${escapeXml(label)}</text>`,
			`\t<rect x="${labelWidth}" y="${y}" width="${length}" height="${barHeight}" rx="2" class="${own ? 'own' : 'peer'}"/>`,
			`\t<text x="${labelWidth + length + 8}" y="${y + 14}">${Math.round(value).toLocaleString('en')} ${unit}</text>`,
		].join('\n')
	})
	const height = top + bars.length * lineHeight + 8
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title)}">
	<style>
		text { font: 13px system-ui, sans-serif; fill: #1f2328 }
		.title { font-weight: 600 }
		.own { fill: #0969da }
		.peer { fill: #8c959f }
		@media (prefers-color-scheme: dark) {
			text { fill: #e6edf3 }
			.own { fill: #4493f8 }
			.peer { fill: #768390 }
		}
	</style>
	<text x="10" y="22" class="title">${escapeXml(title)}</text>
${lines.join('\n')}
</svg>
`
}

function escapeXml(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll('`', '')
}
