package signin

import (
	"crypto/tls"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"golang.org/x/oauth2"

	"musterline.example/api/request"
)

// The pages work without scripts, and take nothing from elsewhere.
const policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

var (
	//go:embed pages/*.html
	files embed.FS
	//go:embed pages/style.css
	sheet []byte

	pages = func() map[string]*template.Template {
		all := map[string]*template.Template{}
		for _, name := range []string{"choose.html", "link.html", "trouble.html"} {
			all[name] = template.Must(template.ParseFS(files, "pages/layout.html", "pages/"+name))
		}
		return all
	}()
)

// style serves what the pages look like.
func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=300")
	_, _ = w.Write(sheet) // the reader has gone
}

// render writes a page.
func (s *SignIn) render(w http.ResponseWriter, r *http.Request, status int, page string, values map[string]any) {
	var b strings.Builder
	if err := pages[page].ExecuteTemplate(&b, "layout", values); err != nil {
		s.Log.ErrorContext(r.Context(), "a page cannot be made", "page", page, "error", err)
		http.Error(w, "This page cannot be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String())) // the reader has gone
}

// choose shows the ways to sign in.
func (s *SignIn) choose(w http.ResponseWriter, r *http.Request) {
	to := within(r.URL.Query().Get("return"))
	type door struct{ Name, Address string }
	var doors []door
	for _, d := range s.Doors() {
		doors = append(doors, door{d.Name, s.again(d.ID, to)})
	}
	s.render(w, r, http.StatusOK, "choose.html", map[string]any{"Title": "Sign in", "Doors": doors})
}

// A trouble is why somebody is not let in, as they are told.
type trouble struct {
	status int
	title  string
	says   string // %s is the provider's name
	do     string // what to do about it
	again  string // where to try again; empty: nowhere
}

// with names the provider, and where to try again.
func (t trouble) with(name, again string) trouble {
	t.says, t.do, t.title = strings.ReplaceAll(t.says, "%s", name), strings.ReplaceAll(t.do, "%s", name), strings.ReplaceAll(t.title, "%s", name)
	t.again = again
	return t
}

// tell shows somebody why they are not let in.
func (s *SignIn) tell(w http.ResponseWriter, r *http.Request, t trouble) {
	s.render(w, r, t.status, "trouble.html", map[string]any{
		"Title": t.title, "Says": t.says, "Do": t.do, "Again": t.again, "Request": request.Of(r.Context()).ID,
	})
}

// fault is a trouble of our own.
func (s *SignIn) fault(w http.ResponseWriter, r *http.Request, err error) {
	s.Log.ErrorContext(r.Context(), "nobody was signed in", "error", err)
	s.tell(w, r, trouble{
		status: http.StatusServiceUnavailable, title: "Musterline cannot let you in at the moment",
		says: "Something went wrong in Musterline itself. Nothing was changed.", do: "Try again in a moment. Its administrator finds the reason in the server's log.", again: Prefix,
	})
}

// The troubles, each with its own sentence.
var (
	notThere = trouble{status: http.StatusNotFound, title: "There is no such page", says: "Nothing is here.", again: Prefix}
	notSafe  = trouble{
		status: http.StatusForbidden, title: "Nobody can sign in here",
		says: "This address is neither HTTPS nor this very machine, and a session could be read on the way.",
		do:   "The administrator gives the server a certificate, or puts it behind a proxy that has one, and sets server.external_url.",
	}
	foreignForm = trouble{
		status: http.StatusForbidden, title: "This did not come from our page", says: "Another page has sent you here, and nothing was done.",
		do: "Open the link that you were given, and press the button there.",
	}

	linkUnknown = trouble{
		status: http.StatusNotFound, title: "This link lets nobody in", says: "It was never given out, or not all of it was copied.",
		do: "Copy the whole link, or make a new one on the server: musterline sign-in",
	}
	linkExpired = trouble{
		status: http.StatusGone, title: "This link has ended", says: "A link is good for a short time only.", do: "Make a new one on the server: musterline sign-in",
	}
	linkUsed = trouble{
		status: http.StatusGone, title: "This link was used", says: "Somebody has signed in with it, and a link is good for once. If that was not you, tell the administrator: the audit record says when.",
		do: "Make a new one on the server: musterline sign-in",
	}

	otherBrowser = trouble{
		status: http.StatusBadRequest, title: "This sign-in was not begun here",
		says: "The answer of %s belongs to a sign-in that was begun in another browser, or in another tab since. Nobody was signed in.",
		do:   "Begin again here. If it happens each time, the browser may refuse our cookies.",
	}
	tookTooLong = trouble{
		status: http.StatusBadRequest, title: "That took too long", says: "A sign-in with %s is good for ten minutes.", do: "Begin again.",
	}
	usedBefore = trouble{
		status: http.StatusBadRequest, title: "This sign-in was used", says: "The answer of %s has let somebody in already, and is good for once.", do: "Begin again.",
	}
	noCode = trouble{
		status: http.StatusBadGateway, title: "%s did not say who you are", says: "%s sent you back without an answer.", do: "Begin again.",
	}
	sessionOver = trouble{
		status: http.StatusUnauthorized, title: "Your session has ended", says: "It ended while you were away, so nothing was added to it.", do: "Sign in again.",
	}
	otherIssuer = trouble{
		status: http.StatusBadGateway, title: "%s is not who it should be",
		says: "It answers under another name than the one that is configured, so nobody can be let in on its word.",
		do:   "The administrator compares server.sign_in.oidc.issuer with what the provider says at /.well-known/openid-configuration: they must be the same to the letter.",
	}
	clocks = trouble{
		status: http.StatusBadGateway, title: "The clocks differ", says: "What %s says is not good at this time: its clock and that of this server differ by more than two minutes.",
		do: "The administrator sets the clocks of both, and then you try again.",
	}
	notVerified = trouble{
		status: http.StatusForbidden, title: "Your address is not verified", says: "%s says that it has not verified your mail address, by which you would be known here.",
		do: "Verify the address at %s, and try again.",
	}
	noEmail = trouble{
		status: http.StatusForbidden, title: "%s does not tell your address", says: "You would be known here by your mail address, and %s did not say it.",
		do: "See whether your account there has one. Else the administrator lets %s tell it to this client (scope email), or chooses another claim.",
	}
	noClaim = trouble{
		status: http.StatusForbidden, title: "%s does not tell enough of you", says: "It did not say the claim by which you would be known here.",
		do: "The administrator compares server.sign_in.oidc.claim with what %s tells this client. The server's log names the claim.",
	}
	notMember = trouble{
		status: http.StatusForbidden, title: "You are not a member here",
		says: "You are not a member of an organization that is connected here, and have no role. Nobody was signed in.",
		do:   "Else ask an administrator of Musterline.",
	}
	notAsked = trouble{
		status: http.StatusBadGateway, title: "%s does not say whether you belong here",
		says: "Members of the organizations that are connected here may sign in, and it could not be asked whether you are one. Musterline itself is well.",
		do:   "Try again in a moment.",
	}
	unbelievable = trouble{
		status: http.StatusBadGateway, title: "%s gave an answer that cannot be believed", says: "Its answer is not signed, not for this server, or not complete.",
		do: "The administrator finds the reason in the server's log.",
	}
)

// refusedBy is what a provider's own refusal means (RFC 6749, 4.1.2.1; OpenID Connect Core 1.0, 3.1.2.6; GitHub's "troubleshooting
// authorization request errors").
func refusedBy(code string) trouble {
	t := trouble{
		status: http.StatusForbidden, title: "%s did not let you in", says: "%s refused, and did not say why.",
		do: "Try again. If it goes on, the administrator finds what it said in the server's log.",
	}
	switch code {
	case "access_denied":
		t.says, t.do = "You, or a rule of %s, said no.", "Try again if that was a mistake. Else ask those who look after %s whether you may use Musterline."
	case "application_suspended", "unauthorized_client", "invalid_client":
		t.says, t.do = "%s does not know Musterline any more, or has suspended it.", "The administrator looks after Musterline's client at %s."
	case "redirect_uri_mismatch", "invalid_request":
		t.says, t.do = "%s does not take the address that it should send you back to.", "The administrator enters this server's address at %s: it ends in /login/oidc/callback or /login/github/callback."
	case "invalid_scope":
		t.says, t.do = "%s does not let Musterline ask who you are.", "The administrator compares server.sign_in.oidc.scopes with what %s lets this client ask."
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		t.says, t.do = "%s wants you to sign in there first.", "Try again."
	case "server_error", "temporarily_unavailable":
		t.status, t.says, t.do = http.StatusBadGateway, "%s has a trouble of its own at the moment.", "Try again in a moment."
	}
	return t
}

// notExchanged is what it means that a provider did not take the code that it had sent.
func notExchanged(e *oauth2.RetrieveError) trouble {
	t := trouble{
		status: http.StatusBadGateway, title: "%s did not confirm who you are", says: "It sent you here, and then did not take its own code from this server.",
		do: "Try again. If it goes on, the administrator finds what it said in the server's log.",
	}
	switch e.ErrorCode {
	case "invalid_grant", "bad_verification_code":
		t.says, t.do = "The code that it sent you with was used before, or is too old.", "Begin again."
	case "invalid_client", "unauthorized_client", "incorrect_client_credentials":
		t.says, t.do = "It does not know Musterline by the client id and secret that are configured.", "The administrator looks at client_id and client_secret."
	case "redirect_uri_mismatch":
		return refusedBy(e.ErrorCode)
	case "unverified_user_email":
		t.status, t.says, t.do = http.StatusForbidden, "Your account there has no verified mail address.", "Verify your address at %s, and try again."
	case "":
		if e.Response != nil && e.Response.StatusCode >= http.StatusInternalServerError {
			return refusedBy("temporarily_unavailable")
		}
	}
	return t
}

// unreachable is what it means that a provider did not answer.
func unreachable(err error) trouble {
	t := trouble{
		status: http.StatusBadGateway, title: "%s cannot be reached", says: "This server asked it, and got no answer that it can use. Musterline itself is well.",
		do: "Try again in a moment. If it goes on, tell those who look after %s.",
	}
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		t.says = "Its certificate is not one that this server trusts."
		t.do = "The administrator names the certificate of its issuer: server.sign_in.oidc.ca_file, or the certificates of the machine."
	}
	return t
}
