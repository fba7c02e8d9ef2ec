package commands

import (
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"
)

// gap is the space between two columns of a table.
const gap = 2

// tableText writes rows below each other, the first of them the headings. Where they are wider than
// width, the widest columns are shortened. The columns in numeric are flush right.
func tableText(width int, rows [][]string, numeric ...int) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(cell))
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
			short[i] = shorten(c, widths[i])
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

// fit makes the widest columns narrower until all fit.
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
