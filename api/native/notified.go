package native

import (
	"context"

	"musterline.example/answer"
	"musterline.example/config"
)

// notified is who is told of what happens, with what a form for another asks.
type notified struct {
	answer.Notified
	Kinds []kind `json:"kinds"`
}

// registerNotified are those who are told of what happens, as people look at them.
func (a *API) registerNotified() {
	operate(a, op{
		id: "notified", route: "GET /notified", tag: "configuration", summary: "Who is told of what happens, and how that fares",
		promise: "Lists notifications with where each is defined, what it is told of, whether it was turned off, and its last message; and the kinds and events that there are. " +
			"The rows themselves are changed as those of sources are: PUT /notifications/{name}.",
	}, func(ctx context.Context, _ *struct{}) (*body[notified], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		n := notified{Kinds: []kind{}}
		if n.Notified, err = v.house.Notified(ctx); err != nil {
			return nil, err
		}
		for _, k := range config.NotificationKinds() {
			n.Kinds = append(n.Kinds, kind{k.Name, k.Title, fieldsOf(k.Settings)})
		}
		return told(n, nil)
	})
	operate(a, op{
		id: "test-notification", route: "POST /notifications/{name}/test", tag: "configuration", summary: "Send a test",
		promise: "Sends a message that says that it is a test and waits for the answer, 10 seconds at most. The answer is 200 whether or not it was taken: " +
			"the body says so. A test that is taken turns a notification on again that had answered 410.",
	}, func(ctx context.Context, in *RowName) (*body[answer.Tested], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		return told(v.house.TestNotification(ctx, in.Name, v.by("")))
	})
	operate(a, op{
		id: "deliveries", route: "GET /deliveries", tag: "configuration", summary: "What was told, and whether it has arrived",
		promise: "Lists messages, the newest first, with the last answer to each. They are forgotten after 30 days. Tests are none of them.",
	}, func(ctx context.Context, in *struct {
		Page
		Notification string `query:"notification" maxLength:"256" doc:"Only those to this one."`
	}) (*body[answer.Deliveries], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		of := "deliveries\x00" + in.Notification
		from, err := in.at(of)
		if err != nil {
			return nil, err
		}
		d, err := v.house.Deliveries(ctx, in.Notification, answer.PageWish{Next: from, Size: in.size()})
		d.Next = cursor(of, d.Next)
		return told(d, err)
	})
	operate(a, op{
		id: "retry-delivery", route: "POST /deliveries/{delivery}/retry", tag: "configuration", summary: "Send a message again", refuses: []int{409},
		promise: "Lets a message that has failed, or waits for its next try, be tried within seconds, and from then on as often as a new one.",
	}, func(ctx context.Context, in *struct {
		Delivery string `path:"delivery" maxLength:"64"`
	}) (*body[answer.Delivery], error) {
		v, err := a.everywhere(ctx)
		if err != nil {
			return nil, err
		}
		return told(v.house.RetryDelivery(ctx, in.Delivery))
	})
}
