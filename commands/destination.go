package commands

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine"
	"github.com/elastic-ingest/elastic-ingest/engine/bulk"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// destination is where the configuration says that documents go: a server, or a folder that is
// served inside the process.
type destination struct {
	es        *config.Elasticsearch
	transport http.RoundTripper
	server    *embedded.Server // nil for a real server
}

// embeddedScheme stands before the folder of a destination that is served inside the process.
const embeddedScheme = "embedded:"

// openDestination prepares the destination; nothing is sent yet. A dry run opens a folder so that it
// cannot be written.
func openDestination(cfg *config.Config, dry bool) (*destination, error) {
	d := &destination{es: &cfg.Elasticsearch}
	if dir, ok := strings.CutPrefix(d.es.Host, embeddedScheme); ok {
		server, err := embedded.Open(embedded.Options{Dir: dir, CacheBytes: cfg.Engine.EmbeddedCache, ReadOnly: dry})
		if err != nil {
			return nil, err
		}
		d.server, d.transport = server, server.Transport()
		return d, nil
	}
	transport, err := elastic.NewTransport(elastic.TLS{
		CAFile: d.es.CACerts, CAFingerprint: d.es.CAFingerprint,
		CertFile: d.es.ClientCert, KeyFile: d.es.ClientKey, Insecure: !d.es.VerifyCerts, Host: hostOf(d.es.Host),
	}, d.es.Bulk.MaxConcurrency)
	if err != nil {
		return nil, err
	}
	d.transport = transport
	return d, nil
}

// hostOf is the host of an address, "" where it has none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// name is how the destination is told to people, and what the run lock is made of.
func (d *destination) name() string {
	if d.es.CloudID != "" {
		cloud, _, _ := strings.Cut(d.es.CloudID, ":")
		return "cloud " + cloud
	}
	return d.es.Host
}

// lockName tells destinations apart, where their clusters do not say what they are.
func (d *destination) lockName() string {
	if d.es.CloudID != "" {
		return d.es.CloudID
	}
	return d.es.Host
}

// client makes the client of one connector, which may have a key of its own.
func (d *destination) client(c *config.Connector) (*elastic.Client, error) {
	conf := elastic.Config{
		URL: d.es.Host, CloudID: d.es.CloudID, Headers: d.es.Headers, UserAgent: program.Name + "/" + program.This().Version,
		Timeout: d.es.RequestTimeout, Transport: d.transport,
		Username: d.es.Username, Password: d.es.Password.Reveal(), APIKey: d.es.APIKey.Reveal(), BearerToken: d.es.BearerToken.Reveal(),
	}
	if !c.APIKey.IsZero() {
		conf.APIKey = c.APIKey.Reveal()
	}
	if d.server != nil {
		conf.URL = "http://embedded"
	}
	return elastic.New(conf)
}

// openToOthers says that others may read the folder, "" where they may not or where there is none. One that
// this program makes is for its owner alone.
func (d *destination) openToOthers() string {
	dir, ok := strings.CutPrefix(d.es.Host, "embedded:")
	if !ok || runtime.GOOS == "windows" { // whose rights are others
		return ""
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return ""
	}
	return fmt.Sprintf("the folder %s holds whole documents and has the rights %04o: chmod 700 keeps others out", term.Plain(dir), info.Mode().Perm())
}

// close ends the destination; for a folder it forces everything to disk.
func (d *destination) close() error {
	if d.server == nil {
		if t, ok := d.transport.(*http.Transport); ok {
			t.CloseIdleConnections()
		}
		return nil
	}
	if err := d.server.Close(); err != nil {
		return fmt.Errorf("close the embedded destination: %w", err)
	}
	return nil
}

// settingsOf are how a run uses the machine, as configured. The state folder is where ids go that do
// not fit into memory: the system's folder for temporary files may be memory itself.
func settingsOf(cfg *config.Config, stateDir string) engine.Settings {
	es := &cfg.Elasticsearch
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
		Await: retry.Policy{First: es.InitialBackoff, Max: 10 * time.Second, Patience: es.MaxWaitDuration},
		Retry: retry.Policy{
			First: 500 * time.Millisecond, Max: es.RetryInterval,
			Patience: time.Duration(es.MaxRetries) * es.RetryInterval,
		},
	}
}
