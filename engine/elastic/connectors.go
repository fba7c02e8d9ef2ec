package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// The Connector APIs, which servers have since version 8.12, as far as we use them. See
// https://www.elastic.co/docs/api/doc/elasticsearch/group/endpoint-connector.

// HasConnectorAPI reports whether the server has the Connector APIs.
func (c *Client) HasConnectorAPI(ctx context.Context) (bool, error) {
	one := 1
	err := c.call(ctx, "check for the Connector APIs", esapi.ConnectorSyncJobListRequest{Size: &one}, &listAnswer{})
	if e, ok := errors.AsType[*Error](err); ok {
		switch {
		case e.Status == http.StatusBadRequest, e.Status == http.StatusMethodNotAllowed, e.Status == http.StatusNotImplemented:
			return false, nil // the response to an unknown path
		case errors.Is(err, ErrNotFound): // the path is known, but its index does not exist yet
			return true, nil
		}
	}
	return err == nil, err
}

type listAnswer struct {
	Results *[]json.RawMessage `json:"results"`
}

func (a *listAnswer) check() error { return lacks("results", a.Results != nil) }

// CheckIn records that a connector's program is alive.
func (c *Client) CheckIn(ctx context.Context, connector string) error {
	r := esapi.ConnectorCheckInRequest{ConnectorID: url.PathEscape(connector)}
	return c.call(ctx, fmt.Sprintf("check in connector %q", connector), r, nil)
}

// SetJobStats writes the counts of a running job, and when it was seen.
func (c *Client) SetJobStats(ctx context.Context, job string, stats any) error {
	r := esapi.ConnectorSyncJobUpdateStatsRequest{ConnectorSyncJobID: url.PathEscape(job), Body: asJSON(stats)}
	return c.call(ctx, fmt.Sprintf("write the counts of sync job %q", job), r, nil)
}

// NewJob creates a sync job of a connector and returns its id.
func (c *Client) NewJob(ctx context.Context, connector, jobType, trigger string) (id string, err error) {
	var a idAnswer
	r := esapi.ConnectorSyncJobPostRequest{Body: asJSON(map[string]string{"id": connector, "job_type": jobType, "trigger_method": trigger})}
	err = c.call(ctx, fmt.Sprintf("create a sync job of connector %q", connector), r, &a)
	return a.ID, err
}

// PutConnector creates a connector with an id chosen by the caller.
func (c *Client) PutConnector(ctx context.Context, id string, body any) error {
	r := esapi.ConnectorPutRequest{ConnectorID: url.PathEscape(id), Body: asJSON(body)}
	return c.call(ctx, fmt.Sprintf("create connector %q", id), r, nil)
}

// DeleteConnector removes a connector and its sync jobs; its index stays.
func (c *Client) DeleteConnector(ctx context.Context, id string) error {
	jobs := true
	r := esapi.ConnectorDeleteRequest{ConnectorID: url.PathEscape(id), DeleteSyncJobs: &jobs}
	return c.call(ctx, fmt.Sprintf("delete connector %q", id), r, nil)
}
