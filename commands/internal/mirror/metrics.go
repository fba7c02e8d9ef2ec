package mirror

import (
	"github.com/elastic-ingest/elastic-ingest/commands/internal/metrics"
	"github.com/elastic-ingest/elastic-ingest/engine/crash"
)

// writeMetrics writes the results of the run into the file of --metrics-textfile. An error is a warning: the run has
// ended, whatever the file says.
func (s *session) writeMetrics(code int) {
	if s.o.Metrics == "" {
		return
	}
	err := crash.Guarded(func() error {
		var runs []metrics.Run
		for _, o := range s.outcomes {
			if o.Result.Index == "" { // a check of a connector, which is no run
				continue
			}
			runs = append(runs, metrics.Run{
				Connector: o.Name, Index: o.index, SourceType: o.Type,
				End: o.ended, Duration: o.Took, Exit: o.Exit, Counts: o.Result.Counts,
			})
		}
		return metrics.Write(s.o.Metrics, metrics.Command{End: s.app.Now(), Exit: code}, runs)
	})
	if err != nil {
		s.messages.Warn("--metrics-textfile: " + err.Error())
	}
}
