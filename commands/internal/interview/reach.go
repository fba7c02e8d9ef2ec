package interview

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/destination"
	"github.com/elastic-ingest/elastic-ingest/commands/internal/draft"
	"github.com/elastic-ingest/elastic-ingest/engine/config"
	"github.com/elastic-ingest/elastic-ingest/engine/elastic"
)

// destination asks where documents go until it can be reached, or the user keeps the answers. A folder needs no
// trial.
func (iv *Interview) destination(ctx context.Context) error {
	iv.dialog.Say("The destination: the address of Elasticsearch, such as https://localhost:9200, or embedded:FOLDER for a folder without a server")
	for answer := all; ; {
		if err := iv.askDestination(ctx, answer == secretsOnly); err != nil {
			return err
		}
		cfg, err := iv.load(ctx)
		if wrong, ok := errors.AsType[config.Errors](err); ok && !slices.ContainsFunc(wrong, aboutDestination) {
			iv.dialog.Say("The destination cannot be tried while answers about the source are wrong.")
			return nil
		}
		if err == nil && strings.HasPrefix(cfg.Elasticsearch.Host, "embedded:") {
			return nil
		}
		if err == nil {
			iv.dialog.Say("Connecting to the destination…")
			err = iv.reach(ctx, cfg)
		}
		if err == nil {
			return nil
		}
		if answer, err = iv.onFailure(ctx, err, iv.loginSecret()); err != nil || answer == keep {
			return err
		}
	}
}

func aboutDestination(e *config.Error) bool { return strings.HasPrefix(e.Key, "elasticsearch.") }

// reach tries the destination and says that it answers. Without the login, which a variable that is not set has, only
// the address can be tried.
func (iv *Interview) reach(ctx context.Context, cfg *config.Config) error {
	if len(iv.unknown) == 0 {
		err := reach(ctx, cfg)
		if err == nil {
			iv.dialog.Say("The destination answers.")
		}
		return err
	}
	cfg.Elasticsearch.Username, cfg.Elasticsearch.Password, cfg.Elasticsearch.APIKey = "", config.Secret{}, config.Secret{}
	if err := reach(ctx, cfg); err != nil && !errors.Is(err, elastic.ErrAuth) {
		return err
	}
	iv.dialog.Say("The destination answers. The login cannot be tried here: " + notSet(iv.unknown) + ".")
	return nil
}

// askDestination asks for the address and, for a server, the login. With secretsOnly the other answers are kept.
func (iv *Interview) askDestination(ctx context.Context, secretsOnly bool) (err error) {
	before := map[string]string{}
	for _, pair := range iv.draft.Login {
		before[pair[0]] = pair[1]
	}
	line := func(question, key string) (answer string, err error) {
		if answer = before[key]; !secretsOnly {
			answer, err = iv.dialog.Line(ctx, question, answer)
		}
		if err == nil {
			iv.login(key, answer)
		}
		return answer, err
	}
	iv.draft.Login, iv.unknown = nil, nil
	if !secretsOnly {
		if err := iv.judged(ctx, "Address", "address", "elasticsearch.host", &iv.draft.Host); err != nil {
			return err
		}
	}
	if strings.HasPrefix(iv.draft.Host, "embedded:") {
		return nil
	}
	user, err := line("User (empty for an API key)", "username")
	if err != nil {
		return err
	}
	key := "password"
	if user == "" {
		key = "api_key"
	}
	reference, err := iv.askSecret(ctx, loginLabels[key], before[key], "ES_"+strings.ToUpper(key), true)
	if err != nil {
		return err
	}
	iv.login(key, reference)
	iv.note(reference)
	if strings.HasPrefix(strings.ToLower(iv.draft.Host), "https:") {
		err = iv.authority(ctx, line)
	}
	return err
}

// authority asks for the file of an authority. The lines of a pasted certificate are not answers to other questions.
func (iv *Interview) authority(ctx context.Context, line func(question, key string) (string, error)) error {
	login := iv.draft.Login
	for {
		answer, err := line("File of your own certificate authority (optional)", "ca_certs")
		if err != nil || !strings.HasPrefix(answer, pemBegins) {
			return err
		}
		iv.draft.Login = login
		if _, err := iv.pasted(ctx, answer); err != nil {
			return err
		}
		iv.dialog.Say("This is a certificate; save it, and give the path of its file")
	}
}

var loginLabels = map[string]string{"password": "Password", "api_key": "API key"}

// login keeps an answer about the login.
func (iv *Interview) login(key, value string) {
	if value != "" {
		iv.draft.Login = append(iv.draft.Login, [2]string{key, value})
	}
}

// loginSecret is the label of the secret of the login, or none without one.
func (iv *Interview) loginSecret() (labels []string) {
	for _, pair := range iv.draft.Login {
		if label := loginLabels[pair[0]]; label != "" {
			labels = append(labels, label)
		}
	}
	return labels
}

// note remembers a variable that is not set here.
func (iv *Interview) note(reference string) {
	variable, ok := draft.Referred(reference)
	if !ok {
		return
	}
	if _, set := iv.valueOf(variable); !set {
		iv.unknown = append(iv.unknown, variable)
	}
}

// reach asks a destination once who it is.
func reach(ctx context.Context, cfg *config.Config) error {
	d, err := destination.Open(cfg, true) //nolint:contextcheck // a store is opened without one
	if err != nil {
		return err
	}
	client, err := d.Client(&config.Connector{})
	if err == nil {
		_, err = client.Ping(ctx)
	}
	return errors.Join(err, d.Close())
}
