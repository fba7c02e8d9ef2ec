package logs

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// OnTerminal is the log of a person who has asked for none: warnings and errors, as messages.
func OnTerminal(m *Messages) *slog.Logger { return slog.New(&messageHandler{messages: m}) }

// messageHandler writes log records as messages.
type messageHandler struct {
	messages *Messages
	attrs    []slog.Attr
}

var _ slog.Handler = (*messageHandler)(nil)

// Enabled implements [slog.Handler].
func (h *messageHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn
}

// WithAttrs implements [slog.Handler].
func (h *messageHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &messageHandler{h.messages, slices.Concat(h.attrs, attrs)}
}

// WithGroup implements [slog.Handler]; messages have no groups.
func (h *messageHandler) WithGroup(string) slog.Handler { return h }

// Handle implements [slog.Handler]: the connector comes first, the cause after the text, and the rest in brackets.
func (h *messageHandler) Handle(_ context.Context, r slog.Record) error {
	attrs := slices.Clone(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	var typ, name, cause string
	var rest []string
	for _, a := range attrs {
		switch value := a.Value.Resolve().String(); a.Key {
		case report.Source:
			typ = value
		case report.Connector:
			name = term.Quoted(value)
		case report.Err:
			cause = ": " + value
		default:
			rest = append(rest, a.Key+" "+value)
		}
	}
	text := r.Message + cause
	if len(rest) > 0 {
		text += " (" + strings.Join(rest, ", ") + ")"
	}
	text = Joined(strings.TrimSpace(typ+" "+name), text)
	if r.Level >= slog.LevelError {
		h.messages.lines(term.Paint(h.messages.Colors.Red, "error:"), text)
	} else {
		h.messages.Warn(text)
	}
	return nil
}
