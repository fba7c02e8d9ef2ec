package elastic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// What a server answers is checked here before anything of it is believed: its status, what kind of
// text it is, its size, and that the fields are there which say that it answers what was asked. A wrong
// answer is an error, never an empty index or a success.

// How large answers may be. Whatever is larger answers nothing that was asked, and is not read to its end.
const (
	errorAnswer    = 1 << 20
	smallAnswer    = 16 << 20  // one thing: an index with a large mapping, a record
	pageAnswer     = 32 << 20  // documents of a scan, which should be pageBytes
	documentAnswer = 128 << 20 // one document; Elasticsearch takes requests of up to 100 MB by default
	bulkItem       = 16 << 10  // one item of a bulk answer, on average; reasons may be long
)

var (
	errTooLarge         = errors.New("the answer is larger than what was asked for can be")
	errNotElasticsearch = errors.New("what answers is not Elasticsearch")
)

// checkHead checks status and header of an answer, as far as they tell whether Elasticsearch answered.
// Errors may come from a proxy on the way, without Elasticsearch's header; that an index is absent must
// not.
func checkHead(asked *url.URL, res *http.Response) error {
	ours := res.Header.Get("X-Elastic-Product") == "Elasticsearch"
	switch status := res.StatusCode; {
	case status == http.StatusProxyAuthRequired:
		return &proxyError{status: status}
	case status >= 300 && status < 400:
		return &redirectError{status: status, asked: *asked, to: res.Header.Get("Location")}
	case status < 200, !ours && (status < 300 || status == http.StatusNotFound):
		return errNotElasticsearch
	case status < 300:
		return checkMediaType(res.Header.Get("Content-Type"))
	}
	return nil
}

func checkMediaType(header string) error {
	kind, _, err := mime.ParseMediaType(header)
	if err != nil || kind != "application/json" && kind != "application/vnd.elasticsearch+json" {
		return fmt.Errorf("%w: the content type is %q and not JSON", errNotElasticsearch, header)
	}
	return nil
}

// redirectError is an answer that sends the reader elsewhere. It is not followed: whoever configures the
// address of a server decides who gets the documents and the password.
type redirectError struct {
	status int
	asked  url.URL
	to     string
}

func (e *redirectError) Error() string {
	if target := e.target(); target != "" {
		return fmt.Sprintf("the server answered %d: it leads to %s", e.status, target)
	}
	return fmt.Sprintf("the server answered %d, which is a redirection that leads nowhere", e.status)
}

// target is where the answer leads: the address of a server, without what was asked of it, and without
// anything that may be secret.
func (e *redirectError) target() string {
	to, err := e.asked.Parse(e.to)
	if err != nil || e.to == "" || to.Host == "" {
		return ""
	}
	base := url.URL{Scheme: to.Scheme, Host: to.Host, Path: strings.TrimSuffix(to.Path, e.asked.Path)}
	return strings.TrimRight(base.String(), "/")
}

// readBody appends what r holds to dst. What is more than limit is not read.
func readBody(r io.Reader, dst []byte, limit int64) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	n, err := buf.ReadFrom(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return dst, fmt.Errorf("the answer broke off: %w", err)
	case n > limit:
		return buf.Bytes()[:int64(len(dst))+limit], fmt.Errorf("%w: more than %d MiB", errTooLarge, limit>>20)
	}
	return buf.Bytes(), nil
}

// answer is what an answer is decoded into. check says what is wrong with it.
type answer interface{ check() error }

// lacks is the error of an answer without a field, or nil where it is there.
func lacks(field string, there bool) error {
	if there {
		return nil
	}
	return fmt.Errorf("the answer lacks %s: %w", field, errCut)
}

// shards is what an answer says of the shards that were asked.
type shards struct {
	Failed int `json:"failed"`
}

func (s shards) check() error {
	if s.Failed != 0 {
		return fmt.Errorf("%d shards failed: %w", s.Failed, ErrTemporary)
	}
	return nil
}

// deed is the answer to a request that does something: it says that it was done, in one of these ways.
type deed struct {
	Acknowledged *bool   `json:"acknowledged"`
	Succeeded    *bool   `json:"succeeded"`
	Result       string  `json:"result"`
	Shards       *shards `json:"_shards"`
}

func (d *deed) check() error {
	switch {
	case d.Acknowledged != nil:
		if !*d.Acknowledged {
			return fmt.Errorf("not all nodes have acknowledged it in time: %w", ErrTemporary)
		}
	case d.Result != "" || d.Succeeded != nil: // a copy that failed is no failure of a write
	case d.Shards != nil:
		return d.Shards.check()
	default:
		return lacks("what was done", false)
	}
	return nil
}

// idAnswer is the answer to a request that makes something.
type idAnswer struct {
	ID string `json:"id"`
}

func (a *idAnswer) check() error { return lacks("id", a.ID != "") }

// pipelineAnswer is the definition of an ingest pipeline, as it is.
type pipelineAnswer struct {
	json.RawMessage
	name string
}

func (a *pipelineAnswer) check() error {
	var defined map[string]json.RawMessage
	if err := json.Unmarshal(a.RawMessage, &defined); err != nil {
		return fmt.Errorf("%w: %w", errCut, err)
	}
	return lacks(fmt.Sprintf("%q", a.name), defined[a.name] != nil)
}
