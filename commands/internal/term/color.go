package term

import (
	"io"

	"github.com/charmbracelet/lipgloss"
)

// Palette makes the colours for stdout or stderr; when is the value of --color. See
// https://no-color.org for NO_COLOR.
func (s *Streams) Palette(tty bool, when string) Palette {
	on := tty && !s.dumb() && s.getenv("NO_COLOR") == ""
	switch when {
	case Always:
		on = true
	case Never:
		on = false
	}
	if !on {
		return Palette{}
	}
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(sixteen)
	style := func(color string) *lipgloss.Style {
		s := r.NewStyle().Foreground(lipgloss.Color(color))
		return &s
	}
	return Palette{Green: style("2"), Yellow: style("3"), Red: style("1"), Grey: style("8")}
}

// sixteen is the colour profile of terminals that know sixteen colours, which are all that are used
// and that people can choose to their liking.
const sixteen = 2

// Palette colours text; its zero value leaves it as it is.
type Palette struct{ Green, Yellow, Red, Grey *lipgloss.Style }

// Paint gives text a style of a palette; nil leaves it as it is.
func Paint(style *lipgloss.Style, text string) string {
	if style == nil || text == "" {
		return text
	}
	return style.Render(text)
}
