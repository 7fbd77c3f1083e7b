"""Runs the story of test/clients/clients.ts with the package `client`, which openapi-python-client generates."""
import sys

from client import AuthenticatedClient, Client
from client.api.accounts import get_me, list_followers
from client.api.feed import get_account_feed, get_home_feed
from client.api.identity import log_in, log_out, refresh_login, register, verify_address
from client.api.notifications import list_notifications
from client.api.posts import create_post, delete_post, get_post, like_post, unlike_post
from client.models import HashtagEntity, Login, PostCreation, Problem, Refresh, Registration, Verification

origin, handle, email, password = sys.argv[1:]
anonymous = Client(base_url=origin, raise_on_unexpected_status=True)


def ensure(holds, what):
    if not holds:
        raise SystemExit(f"Expected, but not true: {what}")


def answer(response, status):
    ensure(response.status_code == status, f"{status}, not {response.status_code}: {response.content!r}")
    return response.parsed


registration = Registration(handle=handle, email=email, password=password)
registered = answer(register.sync_detailed(client=anonymous, body=registration), 202)
print("registered", flush=True)
token = sys.stdin.readline().strip()
verification = Verification(token=token, registration_token=registered.registration_token)
answer(verify_address.sync_detailed(client=anonymous, body=verification), 200)
tokens = answer(log_in.sync_detailed(client=anonymous, body=Login(identifier=handle, password=password)), 200)
tokens = answer(refresh_login.sync_detailed(client=anonymous, body=Refresh(refresh_token=tokens.refresh_token)), 200)
client = AuthenticatedClient(base_url=origin, token=tokens.access_token, raise_on_unexpected_status=True)

me = answer(get_me.sync_detailed(client=client), 200)
ensure(me.handle == handle and me.relation is None, "the account is the registered one")

created = create_post.sync_detailed(client=client, body=PostCreation(text="Hello #python"), idempotency_key=handle)
post = answer(created, 201)
bookmarks = created.headers["x-bookmarks"]
ensure(created.headers["location"] == f"/v1/posts/{post.id}", "the response names the path of the post")
ensure(post.root_id is None and post.parent_id is None, "a post has neither root nor parent")
[entity] = post.entities
ensure(isinstance(entity, HashtagEntity) and post.text[entity.start : entity.end] == "#python", "the hashtag is found")

reply = answer(create_post.sync_detailed(client=client, body=PostCreation(text="Reply", parent_id=post.id)), 201)
ensure(reply.root_id == post.id and reply.parent_id == post.id, "a comment has a root and a parent")

home = answer(get_home_feed.sync_detailed(client=client, x_bookmarks=bookmarks), 200)
ensure([item.id for item in home.items] == [post.id], "the home feed has the post")
ensure(home.next_cursor is None and home.previous_cursor is not None, "the first page is the last")
later = answer(get_home_feed.sync_detailed(client=client, limit=5, cursor=home.previous_cursor), 200)
ensure(later.items == [], "there are no later posts")

liked = answer(like_post.sync_detailed(post.id, client=client), 200)
ensure(liked.liked and liked.like_count == 1, "the like is counted")
answer(unlike_post.sync_detailed(post.id, client=client), 204)
feed = answer(get_account_feed.sync_detailed(me.id, client=client, limit=1), 200)
ensure([item.id for item in feed.items] == [post.id], "the account feed has the post")
ensure(answer(list_followers.sync_detailed(me.id, client=client), 200).items == [], "nobody follows")
ensure(answer(list_notifications.sync_detailed(client=client), 200).items == [], "there are no notifications")

answer(delete_post.sync_detailed(post.id, client=client), 204)
problem = answer(get_post.sync_detailed(post.id, client=client), 404)
ensure(isinstance(problem, Problem) and problem.code.value == "not_found", "the deleted post is gone")
answer(log_out.sync_detailed(client=client), 204)
print("done", flush=True)
