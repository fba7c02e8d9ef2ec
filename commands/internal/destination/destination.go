// Package destination is where the configuration says that documents go: a server, or a folder that is served inside the
// process. It opens it, makes clients for it and says what it is called.
package destination

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/setup"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/term"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
	"github.com/elastic-ingest/elastic-ingest/engine/embedded"
	"github.com/elastic-ingest/elastic-ingest/engine/protocol"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
	"github.com/elastic-ingest/elastic-ingest/engine/retry"
)

// Destination is where the configuration says that documents go: a server, or a folder that is
// served inside the process.
type Destination struct {
	es        *config.Elasticsearch
	transport http.RoundTripper
	server    *embedded.Server // nil for a real server
}

// embeddedScheme stands before the folder of a destination that is served inside the process.
const embeddedScheme = "embedded:"

// Open prepares the destination; nothing is sent yet. A dry run opens a folder so that it
// cannot be written.
func Open(cfg *config.Config, dry bool) (*Destination, error) {
	d := &Destination{es: &cfg.Elasticsearch}
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

// Name is how the destination is called in what people read.
func (d *Destination) Name() string { return Name(d.es) }

// Name is the name of a destination that need not be open.
func Name(es *config.Elasticsearch) string {
	if es.CloudID != "" {
		cloud, _, _ := strings.Cut(es.CloudID, ":")
		return "cloud " + cloud
	}
	return es.Host
}

// Folder is the folder of a destination that is served inside the process, "" for a server.
func (d *Destination) Folder() string {
	folder, ok := strings.CutPrefix(d.es.Host, embeddedScheme)
	if !ok {
		return ""
	}
	return folder
}

// LockName tells destinations apart, where their clusters do not say what they are.
func (d *Destination) LockName() string {
	if d.es.CloudID != "" {
		return d.es.CloudID
	}
	return d.es.Host
}

// Client makes the client of one connector, which may have a key of its own.
func (d *Destination) Client(c *config.Connector) (*elastic.Client, error) {
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

// OpenToOthers says that others may read the folder, "" where they may not or where there is none. One that
// this program makes is for its owner alone.
func (d *Destination) OpenToOthers() string {
	dir := d.Folder()
	if dir == "" || runtime.GOOS == "windows" { // whose rights are others
		return ""
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return ""
	}
	return fmt.Sprintf("the folder %s holds whole documents and has the rights %04o: chmod 700 keeps others out", term.Plain(dir), info.Mode().Perm())
}

// Close ends the destination; for a folder it forces everything to disk.
func (d *Destination) Close() error {
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

// Patience is how long is waited for the destination.
type Patience struct {
	Await retry.Policy // for its first answer
	Retry retry.Policy // for each answer after that
}

// PatienceOf is the patience that the configuration asks for.
func PatienceOf(es *config.Elasticsearch) Patience {
	return Patience{
		Await: retry.Policy{First: es.InitialBackoff, Max: 10 * time.Second, Patience: es.MaxWaitDuration},
		Retry: retry.Policy{
			First: 500 * time.Millisecond, Max: es.RetryInterval,
			Patience: time.Duration(es.MaxRetries) * es.RetryInterval,
		},
	}
}

// Records waits for the destination and opens the records of connectors and sync jobs there.
func (d *Destination) Records(ctx context.Context, a *setup.App, log *slog.Logger, p Patience) (*protocol.Store, error) {
	client, err := d.Client(&config.Connector{})
	if err != nil {
		return nil, err
	}
	info, err := client.Await(ctx, p.Await, func(err error) {
		if p.Await.Patience > 0 { // otherwise the error that follows says it
			log.Warn("Elasticsearch does not answer yet", report.Err, err.Error())
		}
	})
	if err != nil {
		return nil, err
	}
	o := protocol.StoreOptions{
		Client: client, Info: info, Retry: p.Retry, UseAPI: d.es.UseConnectorsAPI && d.server == nil, Log: log, Now: a.Now,
	}
	if d.server == nil && !a.OwnTime {
		o.Ahead = func(ctx context.Context) (time.Duration, error) { return client.ClockAhead(ctx, a.Now) }
	}
	return protocol.Open(ctx, o)
}
