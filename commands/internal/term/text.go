package term

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"
)

// Plain makes untrusted text safe for a terminal and for one line: unprintable characters, including control
// sequences and marks that change the writing direction, are written as escapes.
func Plain(s string) string {
	if !strings.ContainsFunc(s, Escaped) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case Escaped(r):
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// Escaped reports whether a character is shown as an escape. The two joiners are part of ordinary text in
// several scripts.
func Escaped(r rune) bool {
	return !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) && r != '\u200c' && r != '\u200d'
}

// Quoted is plain text between quotes.
func Quoted(s string) string { return `"` + Plain(s) + `"` }

// Columns is the width of text on a terminal.
func Columns(s string) int { return lipgloss.Width(s) }

// Shorten cuts text to a width in columns; what was cut shows as an ellipsis. Styled text is not cut.
func Shorten(s string, width int) string {
	if lipgloss.Width(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	used := 0
	for i, r := range s {
		w := lipgloss.Width(string(r))
		if used+w > width-1 {
			return s[:i] + "…"
		}
		used += w
	}
	return s
}

// ShortenMiddle is s in at most width columns. What is left out is in the middle: names and ids that belong together
// begin alike.
func ShortenMiddle(s string, width int) string {
	if lipgloss.Width(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	begin := Shorten(s, max(width/3, 1))
	rest := width - lipgloss.Width(begin)
	end := len(s)
	for used := 0; end > 0; {
		r, size := utf8.DecodeLastRuneInString(s[:end])
		if used += lipgloss.Width(string(r)); used > rest {
			break
		}
		end -= size
	}
	return begin + s[end:]
}

// Pad fills text up to a width in columns.
func Pad(s string, width int) string {
	if n := width - lipgloss.Width(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

// Number formats a count with thousands separators.
func Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// byteSize formats bytes for people.
func byteSize(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// Took formats a duration for people.
func Took(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

// Plural is a count and its noun.
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}

// Wrap breaks text into lines of at most width columns, at blanks, but not within a number such as 60 000.
func Wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range words(text) {
		switch {
		case line == "":
			line = word
		case lipgloss.Width(line)+1+lipgloss.Width(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// words are the words of a text; the groups of a number are one.
func words(text string) (all []string) {
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	for word := range strings.FieldsSeq(text) {
		last := len(all) - 1
		if last >= 0 && len(word) >= 3 && digits(word[:3]) && strings.Trim(word[3:], ",.;:)") == "" {
			before := all[last][strings.LastIndexAny(all[last], "( ")+1:]
			if digits(before) && len(before) <= 3 {
				all[last] += " " + word
				continue
			}
		}
		all = append(all, word)
	}
	return all
}

// ShellWord quotes an argument for a shell if necessary.
func ShellWord(s string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+,=", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !safe(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
