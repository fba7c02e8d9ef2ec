package term

import (
	"io"

	"github.com/charmbracelet/lipgloss"
)

// Palette creates the colors for stdout or stderr; when is the value of --color. See https://no-color.org for
// NO_COLOR.
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

// sixteen is the color profile of terminals with sixteen colors: the program uses only those, because people
// can choose them in their terminal.
const sixteen = 2

// Palette colors text; its zero value leaves text unchanged.
type Palette struct{ Green, Yellow, Red, Grey *lipgloss.Style }

// Paint gives text a style of a palette; nil leaves it unchanged.
func Paint(style *lipgloss.Style, text string) string {
	if style == nil || text == "" {
		return text
	}
	return style.Render(text)
}
