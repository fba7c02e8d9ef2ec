// Package destination opens the configured destination of documents: a server, or a folder that is served
// inside the process. It also creates clients for it and knows its name.
package destination

import (
	"context"
	"errors"
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

// Destination is the configured destination of documents: a server, or a folder that is served inside the
// process.
type Destination struct {
	es        *config.Elasticsearch
	transport http.RoundTripper
	server    *embedded.Server // nil for a real server
}

// embeddedScheme is the prefix of the folder of an embedded destination.
const embeddedScheme = "embedded:"

// Open prepares the destination; nothing is sent yet. A dry run opens a folder read-only.
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

// InUse reports the error of a folder that another process has open.
func InUse(err error) bool { return errors.Is(err, embedded.ErrInUse) }

// hostOf is the host of an address, "" if it has none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// Name is the name of the destination in messages.
func (d *Destination) Name() string { return Name(d.es) }

// Name is the name of a destination that need not be open.
func Name(es *config.Elasticsearch) string {
	if es.CloudID != "" {
		cloud, _, _ := strings.Cut(es.CloudID, ":")
		return "cloud " + cloud
	}
	return es.Host
}

// Folder is the folder of an embedded destination, "" for a server.
func (d *Destination) Folder() string {
	folder, ok := strings.CutPrefix(d.es.Host, embeddedScheme)
	if !ok {
		return ""
	}
	return folder
}

// LockName identifies the destination if its cluster does not identify itself.
func (d *Destination) LockName() string {
	if d.es.CloudID != "" {
		return d.es.CloudID
	}
	return d.es.Host
}

// Client creates the client of one connector, which may have its own API key.
func (d *Destination) Client(c *config.Connector) (*elastic.Client, error) {
	conf := elastic.Config{
		URL: d.es.Host, CloudID: d.es.CloudID, Headers: d.es.Headers, UserAgent: program.Name + "/" + program.This().Version, OpaqueID: program.Name,
		Timeout: d.es.RequestTimeout, Transport: d.transport,
		Username: d.es.Username, Password: d.es.Password.Reveal(), APIKey: d.es.APIKey.Reveal(), BearerToken: d.es.BearerToken.Reveal(),
	}
	if c.Name != "" {
		conf.OpaqueID += "/" + c.Name
	}
	if !c.APIKey.IsZero() {
		conf.APIKey = c.APIKey.Reveal()
	}
	if d.server != nil {
		conf.URL = "http://embedded"
	}
	return elastic.New(conf)
}

// OpenToOthers is a warning if other users may read the folder, otherwise "". A folder that this program
// creates is readable only by its owner.
func (d *Destination) OpenToOthers() string {
	dir := d.Folder()
	if dir == "" || runtime.GOOS == "windows" { // Windows has other permissions
		return ""
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return ""
	}
	return fmt.Sprintf("the folder %s contains complete documents and has the permissions %04o; restrict them with chmod 700", term.Plain(dir), info.Mode().Perm())
}

// Close closes the destination; for a folder it writes everything to disk.
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

// Patience is how long the program waits for the destination.
type Patience struct {
	Await retry.Policy // for its first answer
	Retry retry.Policy // for each answer after that
}

// PatienceOf is the configured patience.
func PatienceOf(es *config.Elasticsearch) Patience {
	return Patience{
		Await: retry.Policy{First: es.InitialBackoff, Max: 10 * time.Second, Patience: es.MaxWaitDuration},
		Retry: retry.Policy{
			First: 500 * time.Millisecond, Max: es.RetryInterval,
			Patience: time.Duration(es.MaxRetries) * es.RetryInterval,
		},
	}
}

// Records waits for the destination and opens the records of its connectors and sync jobs.
func (d *Destination) Records(ctx context.Context, a *setup.App, log *slog.Logger, p Patience) (*protocol.Store, error) {
	client, err := d.Client(&config.Connector{})
	if err != nil {
		return nil, err
	}
	info, err := client.Await(ctx, p.Await, func(err error) {
		if p.Await.Patience > 0 { // otherwise the error that follows reports it
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
