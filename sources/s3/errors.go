package s3

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

// errListing marks a response that cannot be a page of a listing.
var errListing = errors.New("the listing cannot be continued")

// errNoListing is about a response with status 200 that is not a page of a listing, such as the login page of a proxy.
var errNoListing = errors.New("the response is not a listing")

const (
	hintRights = "grant this key s3:ListBucket on the bucket and s3:GetObject on its objects"
	hintRegion = "the bucket is in another region: correct region, or leave it empty"
)

// codes are the errors whose status does not say what they mean, and what to do.
var codes = map[string]struct {
	kind error
	hint string
}{
	"AccessDenied":                 {source.ErrAuth, hintRights},
	"InvalidAccessKeyId":           {source.ErrAuth, "the store does not know aws_access_key_id: correct it, or the endpoint"},
	"SignatureDoesNotMatch":        {source.ErrAuth, "correct aws_secret_access_key; if it is right, a proxy or the endpoint changes signed headers"},
	"RequestTimeTooSkewed":         {source.ErrAuth, "set the clock of this machine: it differs too much from that of the store"},
	"ExpiredToken":                 {source.ErrAuth, "the session has ended: get new temporary keys"},
	"InvalidToken":                 {source.ErrAuth, "correct session_token, or get new temporary keys"},
	"AuthorizationHeaderMalformed": {source.ErrConfig, hintRegion},
	"PermanentRedirect":            {source.ErrConfig, hintRegion},
	"NoSuchBucket":                 {source.ErrConfig, "correct the name, or remove the bucket from the list"},
	"SlowDown":                     {source.ErrTemporary, ""},
	"RequestTimeout":               {source.ErrTemporary, ""},
	"InternalError":                {source.ErrTemporary, ""},
}

// Failure interprets an error of the library.
func (st *store) Failure(err error) *source.Error {
	status := statusOf(err)
	api, answered := errors.AsType[smithy.APIError](err)
	switch {
	case errors.Is(err, errCredentials):
		return credentialsFailure(err)
	case errors.Is(err, errNoListing):
		return &source.Error{Err: err, Hint: "correct " + fieldEndpoint + "; a proxy may have responded instead"}
	case errors.Is(err, errListing):
		return &source.Error{Err: err}
	case !answered && status < 300:
		return objects.Unanswered(below(err))
	}
	var code, message string
	if answered {
		code, message = api.ErrorCode(), api.ErrorMessage()
	}
	failure := objects.Answered(status, code, message)
	if known, ok := codes[code]; ok {
		failure.Kind, failure.Hint = known.kind, known.hint
	}
	if failure.Hint == "" && errors.Is(failure, source.ErrAuth) {
		failure.Hint = hintRights
	}
	if region := regionOf(err); region != "" && failure.Hint == hintRegion {
		failure.Err = fmt.Errorf("%w (the bucket is in %s)", failure.Err, region)
	}
	return failure
}

func credentialsFailure(err error) *source.Error {
	failure := &source.Error{Kind: source.ErrAuth, Err: below(err)}
	failure.Hint = "set aws_access_key_id and aws_secret_access_key, or provide credentials through the environment, the shared files, the container or the machine"
	if strings.Contains(strings.ToLower(err.Error()), "sso") {
		failure.Hint = "log in again: aws sso login"
	}
	return failure
}

// below is the error without the names of the library's operations.
func below(err error) error {
	if e, ok := errors.AsType[*smithy.OperationError](err); ok {
		return e.Err
	}
	return err
}

func statusOf(err error) int {
	if e, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return e.HTTPStatusCode()
	}
	return 0
}

// regionOf is the region that a response contains, "" for none. In some it is only in the message.
func regionOf(err error) string {
	e, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || e.Response == nil || e.Response.Response == nil {
		return ""
	}
	if region := e.Response.Header.Get("X-Amz-Bucket-Region"); region != "" {
		return region
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() != "AuthorizationHeaderMalformed" {
		return ""
	}
	_, after, _ := strings.Cut(api.ErrorMessage(), "expecting '")
	region, _, ended := strings.Cut(after, "'")
	if !ended {
		return ""
	}
	return region
}

// opening says why content cannot be opened as it was listed.
func opening(err error) error {
	api, answered := errors.AsType[smithy.APIError](err)
	switch status := statusOf(err); {
	case answered && api.ErrorCode() == "InvalidObjectState":
		return fmt.Errorf("%w: it is archived", objects.ErrGone)
	case status == 404:
		return objects.ErrGone
	case status == 412:
		return objects.ErrReplaced
	}
	return err
}
