package azureblob

import (
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

const hintRights = "give the identity the role Storage Blob Data Reader, or a signature with the rights to read and to list"

// codes are what to do about errors of the service.
var codes = map[string]string{
	"AuthenticationFailed":               "correct account_name and account_key, or the signature; the clock of this machine must be right as well",
	"AuthorizationFailure":               "correct account_name and account_key; if they are right, a firewall of the account may refuse this machine",
	"KeyBasedAuthenticationNotPermitted": "this account accepts no keys: leave account_key empty and use an identity of Microsoft Entra",
	"PublicAccessNotPermitted":           "give a key, a signature or an identity: this account does not allow anonymous access",
	"NoAuthenticationInformation":        "give a key, a signature or an identity",
	"InvalidAuthenticationInfo":          "the token is refused: correct tenant_id, client_id and client_secret",
	"AuthorizationPermissionMismatch":    hintRights,
	"AuthorizationResourceTypeMismatch":  hintRights,
	"AuthorizationSourceIPMismatch":      "the signature is not valid for the address of this machine",
	"InsufficientAccountPermissions":     hintRights,
	"ContainerNotFound":                  "correct the name, including its case, or remove the container from the list",
	"ContainerBeingDeleted":              "remove the container from the list",
	"AccountIsDisabled":                  "the account is disabled",
}

// errNoListing is about a response with status 200 that is not a page of a listing, such as the login page of a proxy.
var errNoListing = errors.New("the response is not a listing")

// Failure interprets an error of the library. The library's texts contain headers and addresses, so they are not
// shown.
func (st *store) Failure(err error) *source.Error {
	if errors.Is(err, errToken) {
		return &source.Error{
			Kind: source.ErrAuth, Err: errors.New("no identity of Microsoft Entra could be used"),
			Hint: "give account_key, sas_token, or tenant_id, client_id and client_secret; or run where an identity is assigned",
		}
	}
	if errors.Is(err, errNoListing) {
		return &source.Error{Err: err, Hint: "correct " + fieldEndpoint + "; a proxy may have responded instead"}
	}
	answer, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		return objects.Unanswered(err)
	}
	failure := objects.Answered(answer.StatusCode, answer.ErrorCode, "")
	failure.Hint = codes[answer.ErrorCode]
	if errors.Is(failure, source.ErrAuth) {
		if failure.Hint == "" {
			failure.Hint = hintRights
		}
		if st.valid != "" {
			failure.Err = fmt.Errorf("%w (%s)", failure.Err, st.valid)
		}
	}
	return failure
}
