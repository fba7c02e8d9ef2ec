package mirror

import (
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/usage"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/extract"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// extraction is the extraction service shared by all connectors of a session: all of them use what one finds
// out about it.
type extraction struct {
	once    sync.Once
	service *extract.Service
}

// of creates the client of the configured service, nil if there is none. It sends nothing.
func (x *extraction) of(cfg *config.Config, log *slog.Logger) *extract.Service {
	x.once.Do(func() {
		e := &cfg.Extraction
		if e.Host == "" {
			return
		}
		o := extract.ServiceOptions{
			URL: e.Host, Timeout: e.Timeout, Piece: e.StreamChunkSize, MaxText: e.MaxTextSize, MaxFile: e.MaxFileSize,
			Retry:    retry.Policy{First: 500 * time.Millisecond, Max: 8 * time.Second, Patience: 24 * time.Hour}, // Attempts and Patience limit the retries
			Patience: 2 * e.Timeout,
			Changed: func(err error) {
				if err != nil {
					log.Warn("the extraction service is down; the run continues without waiting for it", report.Err, err.Error())
				} else {
					log.Info("the extraction service answers again")
				}
			},
		}
		if e.Type != "auto" {
			o.Kind = extract.Kind(e.Type)
		}
		if e.UseFilePointers {
			o.SharedDir = e.SharedVolumeDir
		}
		transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
		transport.MaxIdleConnsPerHost = cfg.Engine.Readers
		o.Transport = transport
		x.service = extract.NewService(o)
	})
	return x.service
}

// setExtraction chooses how the content of a connector is converted to text: the configuration file decides,
// else the form in Kibana.
func setExtraction(job *engine.Job, cfg *config.Config, c *config.Connector) error {
	job.Extraction = extract.Way(c.Extraction)
	if job.Extraction != extract.Auto || !job.Values.Has(source.ExtractionServiceField) || !job.Values.Bool(source.ExtractionServiceField) {
		return nil
	}
	job.Extraction = extract.ByService
	if cfg.Extraction.Host == "" && job.Kind == engine.Mirror {
		return &usage.Error{
			Problem: fmt.Sprintf("connector %s: %s is on, but no extraction service is configured", term.Quoted(job.Connector), source.ExtractionServiceField),
			Hint:    "set extraction_service.host, or extraction for the connector, in the configuration file",
		}
	}
	return nil
}
