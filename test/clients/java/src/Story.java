import client.ApiClient;
import client.ApiException;
import client.ApiResponse;
import client.api.AccountsApi;
import client.api.FeedApi;
import client.api.IdentityApi;
import client.api.NotificationsApi;
import client.api.PostsApi;
import client.model.Account;
import client.model.HashtagEntity;
import client.model.Login;
import client.model.PostCreation;
import client.model.Post;
import client.model.PostPage;
import client.model.Refresh;
import client.model.Registered;
import client.model.Registration;
import client.model.Tokens;
import client.model.Verification;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.List;

/** Runs the story of test/clients/clients.ts with the generated client. */
class Story {
  public static void main(String[] args) throws Exception {
    String origin = args[0], handle = args[1], email = args[2], password = args[3];
    ApiClient client = new ApiClient();
    client.updateBaseUri(origin);
    IdentityApi identity = new IdentityApi(client);
    Registered registered = identity.register(new Registration().handle(handle).email(email).password(password), null);
    System.out.println("registered");
    String token = new BufferedReader(new InputStreamReader(System.in)).readLine();
    identity.verifyAddress(new Verification().token(token).registrationToken(registered.getRegistrationToken()), null);
    Tokens tokens = identity.logIn(new Login().identifier(handle).password(password), null);
    String accessToken = identity.refreshLogin(new Refresh().refreshToken(tokens.getRefreshToken()), null).getAccessToken();
    client.setRequestInterceptor(request -> request.setHeader("Authorization", "Bearer " + accessToken));
    asUser(client, handle);
    new IdentityApi(client).logOut(null);
    System.out.println("done");
  }

  private static void asUser(ApiClient client, String handle) throws ApiException {
    Account me = new AccountsApi(client).getMe(null);
    ensure(me.getHandle().equals(handle) && me.getRelation() == null, "the account is the registered one");

    PostsApi posts = new PostsApi(client);
    ApiResponse<Post> created = posts.createPostWithHttpInfo(new PostCreation().text("Hello #java"), null, handle);
    Post post = created.getData();
    List<String> location = created.getHeaders().get("location");
    ensure(location.equals(List.of("/v1/posts/" + post.getId())), "the response names the path of the post");
    ensure(post.getRootId() == null && post.getParentId() == null, "a post has neither root nor parent");
    HashtagEntity hashtag = post.getEntities().get(0).getHashtagEntity();
    ensure(post.getText().substring(hashtag.getStart(), hashtag.getEnd()).equals("#java"), "the hashtag is found");
    Post reply = posts.createPost(new PostCreation().text("Reply").parentId(post.getId()), null, null);
    ensure(post.getId().equals(reply.getRootId()), "a comment has a root");

    FeedApi feeds = new FeedApi(client);
    String bookmarks = created.getHeaders().get("x-bookmarks").get(0);
    PostPage home = feeds.getHomeFeed(bookmarks, null, null);
    ensure(idsOf(home).equals(List.of(post.getId())), "the home feed has the post");
    ensure(home.getNextCursor() == null, "the first page is the last");
    ensure(idsOf(feeds.getHomeFeed(null, 5, home.getPreviousCursor())).isEmpty(), "there are no later posts");

    ensure(posts.likePost(post.getId(), null).getLikeCount() == 1, "the like is counted");
    posts.unlikePost(post.getId(), null);
    ensure(idsOf(feeds.getAccountFeed(me.getId(), null, 1, null)).equals(List.of(post.getId())), "the account feed has the post");
    ensure(new NotificationsApi(client).listNotifications(null, null, null).getItems().isEmpty(), "there are no notifications");

    posts.deletePost(post.getId(), null);
    try {
      posts.getPost(post.getId(), null);
      throw new IllegalStateException("The deleted post is still there");
    } catch (ApiException error) {
      ensure(error.getCode() == 404 && error.getResponseBody().contains("\"not_found\""), "the deleted post is gone");
    }
  }

  private static List<String> idsOf(PostPage page) {
    return page.getItems().stream().map(Post::getId).toList();
  }

  private static void ensure(boolean holds, String what) {
    if (!holds) throw new IllegalStateException("Expected, but not true: " + what);
  }
}
