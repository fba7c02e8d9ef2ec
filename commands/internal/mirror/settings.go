package mirror

import (
	"math"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/destination"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/bulk"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
)

// settingsOf are the configured limits of a run. Ids that do not fit into memory go to the state folder,
// because the system's temporary folder may be in memory itself.
func settingsOf(cfg *config.Config, stateDir string) engine.Settings {
	es := &cfg.Elasticsearch
	wait := destination.PatienceOf(es)
	var breaker *bulk.Breaker
	if m := es.Bulk.ErrorMonitor; m.Enabled {
		breaker = &bulk.Breaker{Count: int64(m.MaxTotalErrors), Ratio: m.MaxErrorRate}
	}
	return engine.Settings{
		Breaker: breaker,
		Readers: cfg.Engine.Readers, Writers: es.Bulk.MaxConcurrency,
		Operations: es.Bulk.ChunkSize, RequestBytes: int(min(es.Bulk.ChunkMaxMemSize, math.MaxInt32)),
		Budget: cfg.Engine.Budget, ContentLimit: cfg.Service.MaxFileDownloadSize,
		IDsMemory: cfg.Engine.IDsMemory, IDsDir: stateDir,
		StallTimeout: cfg.Engine.StallTimeout, ShutdownGrace: cfg.Engine.ShutdownGrace,
		Await: wait.Await, Retry: wait.Retry,
	}
}
