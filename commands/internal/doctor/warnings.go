package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// warnings is a log whose warnings become findings about a connector: what a source or the engine would log in a
// run. The rest goes to the program's log.
func (x *examination) warnings(connector string) *slog.Logger {
	return slog.New(&findingHandler{Handler: x.log.Handler(), found: func(text string) {
		x.out.say(connector, engine.CheckSource, engine.StatusWarning, text, "")
	}})
}

type findingHandler struct {
	slog.Handler // of the program's log
	found        func(text string)
	attrs        []slog.Attr
}

var _ slog.Handler = (*findingHandler)(nil)

// Enabled implements [slog.Handler].
func (h *findingHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || h.Handler.Enabled(ctx, level)
}

// Handle implements [slog.Handler].
func (h *findingHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return h.Handler.Handle(ctx, r)
	}
	var more []string
	add := func(a slog.Attr) bool {
		if a.Key != report.Connector && a.Key != report.Source {
			more = append(more, fmt.Sprintf("%s: %s", a.Key, a.Value))
		}
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	text := r.Message
	if len(more) > 0 {
		text += " (" + strings.Join(more, ", ") + ")"
	}
	h.found(text)
	return nil
}

// WithAttrs implements [slog.Handler].
func (h *findingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &findingHandler{Handler: h.Handler.WithAttrs(attrs), found: h.found, attrs: slices.Concat(h.attrs, attrs)}
}

// WithGroup implements [slog.Handler].
func (h *findingHandler) WithGroup(name string) slog.Handler {
	return &findingHandler{Handler: h.Handler.WithGroup(name), found: h.found, attrs: h.attrs}
}
