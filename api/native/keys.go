package native

import (
	"context"
	"net/http"
	"time"

	"musterline.example/answer"
	"musterline.example/api/access"
)

type tokenWish struct {
	AsWhom
	Name      string    `json:"name" doc:"By which it is known when it is to be revoked."`
	Target    string    `json:"target,omitempty" doc:"That it is bound to; none: all."`
	Role      string    `json:"role" enum:"viewer,maintainer,owner,administrator"`
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"When it ends; none: never."`
}

type roleWish struct {
	AsWhom
	Subject string `json:"subject" doc:"oidc:ISSUER#SUBJECT, github:HOST#NUMBER or group:SOURCE/ID"`
	Role    string `json:"role,omitempty" enum:"viewer,maintainer,owner,administrator"`
	Target  string `json:"target,omitempty" doc:"On which; none: all."`
}

// registerKeys are tokens and roles.
func (a *API) registerKeys() {
	operate(a, op{
		id: "tokens", route: "GET /tokens", tag: "access", summary: "Musterline's own tokens",
		promise: "Lists tokens, those that ended too, the newest first. Their texts are known to nobody but those who were given them.",
	}, func(ctx context.Context, in *struct {
		Page
		Target string `query:"target" doc:"Only those bound to this target."`
	}) (*body[answer.Tokens], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		of := "tokens\x00" + in.Target
		from, err := in.at(of)
		if err != nil {
			return nil, err
		}
		tokens, err := v.house.Tokens(ctx, answer.PageWish{Target: in.Target, Next: from, Size: in.size()})
		tokens.Next = cursor(of, tokens.Next)
		return told(tokens, err)
	})
	operate(a, op{
		id: "create-token", route: "POST /tokens", tag: "access", summary: "Make a token", status: http.StatusCreated,
		promise: "Makes a token. Its text is in this answer and in no other. Nobody can make a token that may more than their own.",
	}, func(ctx context.Context, in *struct{ Body tokenWish }) (*body[answer.Token], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		w := in.Body
		if !v.role().AtLeast(access.Role(w.Role)) {
			return nil, mayNot()
		}
		return told(v.house.CreateToken(ctx, answer.TokenWish{
			Name: w.Name, Target: w.Target, Role: w.Role, ExpiresAt: w.ExpiresAt, By: v.by(w.By),
		}))
	})
	operate(a, op{
		id: "token", route: "GET /tokens/{token}", tag: "access", summary: "One token",
		promise: "Returns a token by its number, without its text.",
	}, func(ctx context.Context, in *TokenID) (*body[answer.Token], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		return told(v.house.Token(ctx, in.Token))
	})
	operate(a, op{
		id: "revoke-token", route: "DELETE /tokens/{token}", tag: "access", summary: "Revoke a token",
		promise: "Ends a token at once. One that has ended already stays as it is. The answer is the token.",
	}, func(ctx context.Context, in *TokenID) (*body[answer.Token], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		return told(v.house.RevokeToken(ctx, answer.RevokeWish{ID: in.Token, By: v.by("")}))
	})
	operate(a, op{
		id: "roles", route: "GET /roles", tag: "access", summary: "Roles that were assigned",
		promise: "Lists who was given which role, the oldest first. What people are by GitHub's word does not stand here.",
	}, func(ctx context.Context, in *struct{ Page }) (*body[answer.Roles], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		from, err := in.at("roles")
		if err != nil {
			return nil, err
		}
		roles, err := v.house.Roles(ctx, answer.PageWish{Next: from, Size: in.size()})
		roles.Next = cursor("roles", roles.Next)
		return told(roles, err)
	})
	operate(a, op{
		id: "assign-role", route: "POST /roles", tag: "access", summary: "Give somebody a role",
		promise: "Gives a subject a role on a target, or on all, in place of the one that it has there.",
	}, func(ctx context.Context, in *struct{ Body roleWish }) (*body[answer.Role], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		w := in.Body
		return told(v.house.AssignRole(ctx, answer.Role{Subject: w.Subject, Role: w.Role, Target: w.Target, By: v.by(w.By)}))
	})
	operate(a, op{
		id: "withdraw-role", route: "POST /roles/remove", tag: "access", summary: "Take a role away", status: http.StatusNoContent,
		promise: "Takes the role away that a subject has on a target, or on all.",
	}, func(ctx context.Context, in *struct{ Body roleWish }) (*struct{}, error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		w := in.Body
		return nil, v.house.WithdrawRole(ctx, answer.Role{Subject: w.Subject, Target: w.Target, By: v.by(w.By)})
	})
}

// TokenID names a token.
type TokenID struct {
	Token string `path:"token" doc:"Its number, never its text."`
}
