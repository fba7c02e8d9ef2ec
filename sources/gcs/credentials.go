package gcs

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"

	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// readOnly is the only scope requested.
const readOnly = "https://www.googleapis.com/auth/devstorage.read_only"

// accountKeys are what the key file of a service account may contain.
var accountKeys = []string{
	"type", "project_id", "private_key_id", "private_key", "client_email", "client_id", "auth_uri", "token_uri",
	"auth_provider_x509_cert_url", "client_x509_cert_url", "subject", "scopes", "additional_claims", "universe_domain",
}

// account is the key file of a service account.
type account struct {
	keys    map[string]json.RawMessage
	project string
}

func accountError(format string, args ...any) error {
	return &source.Error{
		Kind: source.ErrConfig, Err: fmt.Errorf(fieldCredentials+": "+format, args...),
		Hint: "paste the JSON file that Google makes for a key of a service account",
	}
}

// parseAccount reads a key as people paste it: as JSON, as a JSON string that contains it, or with its private key on
// one line. Errors quote nothing of it.
func parseAccount(text string) (*account, error) {
	raw := []byte(text)
	var inner string
	if json.Unmarshal(raw, &inner) == nil {
		raw = []byte(inner)
	}
	a := &account{}
	if err := json.Unmarshal(raw, &a.keys); err != nil || a.keys == nil {
		return nil, accountError("is not a JSON object")
	}
	for key := range a.keys {
		if !slices.Contains(accountKeys, key) {
			return nil, accountError("has the unknown key %q", key)
		}
	}
	if kind := a.text("type"); kind != "service_account" {
		return nil, accountError("is not of the type service_account; for credentials of other types, set GOOGLE_APPLICATION_CREDENTIALS to their file")
	}
	for _, key := range []string{"client_email", "private_key"} {
		if a.text(key) == "" {
			return nil, accountError("%s is missing", key)
		}
	}
	a.project = a.text("project_id")
	private := pemLines(a.text("private_key"))
	if block, _ := pem.Decode([]byte(private)); block == nil {
		return nil, accountError("private_key is not PEM")
	}
	key, err := json.Marshal(private)
	if err != nil {
		return nil, accountError("private_key cannot be read")
	}
	a.keys["private_key"] = key
	return a, nil
}

func (a *account) text(key string) (s string) {
	_ = json.Unmarshal(a.keys[key], &s) // anything but a string is empty
	return s
}

// pemLines restores the line breaks of a key that were pasted as spaces or as \n.
func pemLines(key string) string {
	key = strings.TrimSpace(strings.ReplaceAll(key, `\n`, "\n"))
	if strings.Contains(key, "\n") {
		return key + "\n"
	}
	const begins, ends = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
	body, ok := strings.CutPrefix(key, begins)
	body, ended := strings.CutSuffix(body, ends)
	if !ok || !ended {
		return key
	}
	return begins + "\n" + strings.Join(strings.Fields(body), "\n") + "\n" + ends + "\n"
}

// find makes credentials from the key, or finds those of the environment.
func find(a *account, client *http.Client) (*auth.Credentials, error) {
	o := &credentials.DetectOptions{Scopes: []string{readOnly}, Client: client}
	if a == nil {
		found, err := credentials.DetectDefault(o)
		if err != nil {
			return nil, &source.Error{
				Kind: source.ErrAuth, Err: fmt.Errorf("no application default credentials: %w", err),
				Hint: "set service_account_credentials, set GOOGLE_APPLICATION_CREDENTIALS to a key file, or run where Google provides credentials",
			}
		}
		return bound(found), nil
	}
	raw, err := json.Marshal(a.keys)
	if err != nil {
		return nil, accountError("cannot be read")
	}
	made, err := credentials.NewCredentialsFromJSON(credentials.ServiceAccount, raw, o)
	if err != nil {
		return nil, accountError("cannot be used: the private key is not readable")
	}
	return bound(made), nil
}

// tokenPatience is how long to wait for a token: the machine's token service may accept a request and never respond.
const tokenPatience = 15 * time.Second

// errToken marks an error before there was a token for the store.
var errToken = errors.New("no token")

func bound(c *auth.Credentials) *auth.Credentials {
	return auth.NewCredentials(&auth.CredentialsOptions{
		TokenProvider: bounded{c}, JSON: c.JSON(),
		ProjectIDProvider: auth.CredentialsPropertyFunc(c.ProjectID), UniverseDomainProvider: auth.CredentialsPropertyFunc(c.UniverseDomain),
	})
}

type bounded struct{ auth.TokenProvider }

func (b bounded) Token(ctx context.Context) (*auth.Token, error) {
	limited, cancel := context.WithTimeout(ctx, tokenPatience)
	defer cancel()
	t, err := b.TokenProvider.Token(limited)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errToken, err)
	}
	return t, nil
}
