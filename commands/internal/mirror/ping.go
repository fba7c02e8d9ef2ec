package mirror

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/logs"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/output"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/ping"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
)

// pingVariable is the environment variable with the address to ping.
const pingVariable = "ELASTIC_INGEST_PING_URL"

// reported makes the end of the run known to other programs, however it ends: code is that of a crash until the run
// has another one.
func (s *session) reported(ctx context.Context, code *int) (end func()) {
	*code = s.o.Code(&crash.Error{})
	return func() {
		s.held.open()
		s.writeMetrics(*code)
		s.pingEnd(ctx, *code)
	}
}

// pingStart reports the start of the run, once its address is known: from the command line, else from the
// environment, else from the configuration, which is nil before it is loaded.
func (s *session) pingStart(ctx context.Context, cfg *config.Config) {
	if !s.o.Pings || s.ping != nil || s.pingRefused {
		return
	}
	address := cmp.Or(s.o.PingURL.Reveal(), s.app.Getenv(pingVariable))
	if address == "" && cfg != nil {
		address = cfg.Service.PingURL.Reveal()
	}
	if address == "" {
		return
	}
	var err error
	s.ping, err = ping.New(address, program.Name+"/"+program.This().Version, http.DefaultTransport)
	if err != nil {
		s.pingRefused = true
		s.messages.Warn(err.Error() + "; the run is not reported")
		return
	}
	s.ping.Start(ctx)
}

// pingEnd reports the end of the run. A report that fails is a warning, except with --quiet: the service notices
// that it is missing.
func (s *session) pingEnd(ctx context.Context, code int) {
	if s.ping == nil {
		return
	}
	err := crash.Guarded(func() error { return s.ping.End(ctx, s.cut, code, s.digest()) })
	switch {
	case err == nil:
		s.log.Debug("reported the end of the run", "host", s.ping.Host())
	case s.o.Quiet:
		s.log.Debug("cannot report the run", "host", s.ping.Host(), "reason", err.Error())
	default:
		s.messages.Warn(fmt.Sprintf("cannot report the run to %s: %s", s.ping.Host(), strings.ReplaceAll(err.Error(), "\n", "; ")))
	}
}

// digest is the result of the run as text: for each connector a line of counts, its problems and what to do.
func (s *session) digest() string {
	var b strings.Builder
	line := func(parts ...string) {
		b.WriteString(term.Plain(strings.Join(parts, ": ")) + "\n")
	}
	fail := func(where string, err error) {
		line(logs.Joined(where, "error"), err.Error())
		if hint := logs.HintOf(err); hint != "" {
			line("hint", hint)
		}
	}
	for _, o := range s.outcomes {
		if o.Result.Index != "" { // otherwise a check of a connector, which has no counts
			line(output.Summary(&o.Outcome))
		}
		if o.watch != nil {
			for _, f := range o.watch.failures {
				fail(o.where(), &placedError{f})
			}
		}
		for _, text := range o.remarks(s.o) {
			line(o.where(), text)
		}
		if o.Err != nil && (o.watch == nil || !o.watch.reported(o.Err)) {
			fail(o.where(), o.Err)
		}
		if o.Confirm != "" {
			line("to continue", o.Confirm)
		}
	}
	if s.failure != nil {
		fail("", s.failure)
	}
	return b.String()
}
