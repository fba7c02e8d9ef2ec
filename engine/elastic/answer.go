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

// Responses are checked before anything in them is trusted: status, content type, size, and the fields that
// show that the request was answered. A wrong response is an error, never an empty index or a success.

// Limits for the size of responses. A larger response is not what was requested, and is not read completely.
const (
	errorAnswer    = 1 << 20
	smallAnswer    = 16 << 20  // one object: an index with a large mapping, a record
	pageAnswer     = 32 << 20  // documents of a scan, usually about pageBytes
	documentAnswer = 128 << 20 // one document; Elasticsearch accepts requests of up to 100 MB by default
	bulkItem       = 16 << 10  // one item of a bulk response, on average; reasons may be long
)

var (
	errTooLarge         = errors.New("the response is larger than a valid one can be")
	errNotElasticsearch = errors.New("the server is not Elasticsearch")
)

// checkHead checks whether status and header of a response come from Elasticsearch. Errors may come from a
// proxy, without Elasticsearch's header; "not found" may not.
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

// redirectError is a redirect. It is not followed: the configured address decides which server gets the
// documents and the password.
type redirectError struct {
	status int
	asked  url.URL
	to     string
}

func (e *redirectError) Error() string {
	if target := e.target(); target != "" {
		return fmt.Sprintf("the server answered %d, a redirect to %s", e.status, target)
	}
	return fmt.Sprintf("the server answered %d, a redirect without a target", e.status)
}

// target is the address of the server that the redirect leads to, without the path, and without
// anything that may be secret.
func (e *redirectError) target() string {
	to, err := e.asked.Parse(e.to)
	if err != nil || e.to == "" || to.Host == "" {
		return ""
	}
	base := url.URL{Scheme: to.Scheme, Host: to.Host, Path: strings.TrimSuffix(to.Path, e.asked.Path)}
	return strings.TrimRight(base.String(), "/")
}

// readBody appends the content of r to dst. Bytes beyond limit are not read.
func readBody(r io.Reader, dst []byte, limit int64) ([]byte, error) {
	buf := bytes.NewBuffer(dst)
	n, err := buf.ReadFrom(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return dst, fmt.Errorf("the response broke off: %w", err)
	case n > limit:
		return buf.Bytes()[:int64(len(dst))+limit], fmt.Errorf("%w: more than %d MiB", errTooLarge, limit>>20)
	}
	return buf.Bytes(), nil
}

// answer is the type that a response is decoded into. check reports what is wrong with it.
type answer interface{ check() error }

// lacks is the error of a response without a field, or nil if the field is there.
func lacks(field string, there bool) error {
	if there {
		return nil
	}
	return fmt.Errorf("the response lacks %s: %w", field, errCut)
}

// shards is the part of a response about the shards involved.
type shards struct {
	Failed int `json:"failed"`
}

func (s shards) check() error {
	if s.Failed != 0 {
		return fmt.Errorf("%d shards failed: %w", s.Failed, ErrTemporary)
	}
	return nil
}

// deed is the response to a request with an effect: it confirms the effect in one of these ways.
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
			return fmt.Errorf("not all nodes acknowledged it in time: %w", ErrTemporary)
		}
	case d.Result != "" || d.Succeeded != nil: // a failed replica does not fail a write
	case d.Shards != nil:
		return d.Shards.check()
	default:
		return lacks("the result", false)
	}
	return nil
}

// idAnswer is the response to a request that creates something.
type idAnswer struct {
	ID string `json:"id"`
}

func (a *idAnswer) check() error { return lacks("id", a.ID != "") }

// pipelineAnswer is the unchanged definition of an ingest pipeline.
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
