package term

import (
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"
)

// gap is the space between two columns of a table.
const gap = 2

// Unlimited is the width for readers other than terminals: text that is cut there is lost.
const Unlimited = 1 << 16

// readable is the minimum width of the columns in a table of records.
const readable = 8

// RecordTable writes records whose first column is their id. People copy ids, so they are never shortened: if
// the rest does not fit next to them, each record is a block of lines.
func RecordTable(width int, rows [][]string, numeric ...int) string {
	ids, rest := 0, 0
	for _, row := range rows {
		ids = max(ids, Columns(row[0]))
	}
	for i := range rows[0][1:] {
		widest := 0
		for _, row := range rows {
			widest = max(widest, Columns(row[i+1]))
		}
		rest += gap + min(widest, readable)
	}
	if ids+rest <= width {
		return keepFirst(width, ids, rows, numeric)
	}
	var b strings.Builder
	for n, row := range rows[1:] {
		if n > 0 {
			b.WriteString("\n")
		}
		b.WriteString(row[0] + "\n")
		for i, cell := range row[1:] {
			if cell != "" {
				b.WriteString(Shorten("  "+strings.ToLower(rows[0][i+1])+": "+cell, width) + "\n")
			}
		}
	}
	return b.String()
}

// keepFirst is a table with a first column of a fixed width.
func keepFirst(width, first int, rows [][]string, numeric []int) string {
	bare, shifted := make([][]string, len(rows)), make([]int, len(numeric))
	for i, row := range rows {
		bare[i] = row[1:]
	}
	for i, n := range numeric {
		shifted[i] = n - 1
	}
	var b strings.Builder
	n := 0
	for line := range strings.Lines(Table(width-first-gap, bare, shifted...)) {
		b.WriteString(Pad(rows[n][0], first+gap) + line)
		n++
	}
	return b.String()
}

// Table writes rows below each other, the first of them the headings. If they are wider than width, the widest
// columns are shortened. The columns in numeric are aligned right.
func Table(width int, rows [][]string, numeric ...int) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], Columns(cell))
		}
	}
	fit(widths, width)
	cell := lipgloss.NewStyle()
	t := table.New().Border(lipgloss.HiddenBorder()).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderColumn(false).BorderHeader(false).
		StyleFunc(func(_, column int) lipgloss.Style {
			if slices.Contains(numeric, column) {
				return cell.Width(widths[column] + gap).PaddingRight(gap).Align(lipgloss.Right)
			}
			return cell.Width(widths[column] + gap).PaddingRight(gap)
		})
	for n, row := range rows {
		short := make([]string, len(row))
		for i, c := range row {
			short[i] = Shorten(c, widths[i])
		}
		if n == 0 {
			t.Headers(short...)
		} else {
			t.Row(short...)
		}
	}
	var b strings.Builder
	for line := range strings.SplitSeq(t.Render(), "\n") {
		if line = strings.TrimRight(line, " "); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// fit shortens the widest columns until all fit.
func fit(widths []int, width int) {
	total := -gap
	for _, w := range widths {
		total += w + gap
	}
	for ; total > width; total-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= 4 {
			return
		}
		widths[widest]--
	}
}
