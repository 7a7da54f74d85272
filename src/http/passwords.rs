//! Basic authentication against bcrypt hashes.
//!
//! bcrypt is slow on purpose: it runs on a thread for blocking work, one at a time, and what it found
//! is remembered.  A name that no user has costs as much as one that a user has, so that nobody learns
//! names by the time an answer takes.

use std::collections::{BTreeMap, VecDeque};
use std::hash::Hasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use siphasher::sip128::{Hasher128 as _, SipHasher24};
use tokio::sync::{Mutex as AsyncMutex, Semaphore};

use crate::config::Secret;

/// bcrypt hashes by the names of the users.
pub(super) type Users = BTreeMap<String, Secret>;

/// Checks passwords.
#[derive(Debug)]
pub(super) struct Passwords {
    /// Random, so that nobody can tell what gives a certain [`Seen`] or stand-in.
    key: [u8; 16],
    checked: Mutex<Checked>,
    one_at_a_time: Arc<Semaphore>,
    /// The hashes that bcrypt has worked for.
    #[cfg(test)]
    pub(super) worked: Mutex<Vec<String>>,
}

/// Whoever knows the key could try passwords against it, so it is as secret as the memory it is in.
type Seen = u128;

/// What bcrypt found for the latest logins.  Wrong ones have a list of their own: no number of them
/// makes a right one forgotten.
#[derive(Debug, Default)]
struct Checked {
    right: VecDeque<Seen>,
    wrong: VecDeque<Seen>,
}

/// Name and password as a client sends them.
struct Login {
    name: Vec<u8>,
    password: Vec<u8>,
}

impl Passwords {
    /// Nothing is known yet.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 16];
        getrandom::fill(&mut key)?;
        Ok(Self {
            key,
            checked: Mutex::default(),
            one_at_a_time: Arc::new(Semaphore::new(1)),
            #[cfg(test)]
            worked: Mutex::default(),
        })
    }

    /// Whether the header is the login of one of the users, of whom there is at least one; `turn` is the
    /// client's, of whose passwords one is checked after the other.
    pub(super) async fn allow(
        self: &Arc<Self>,
        users: &Users,
        authorization: Option<&HeaderValue>,
        turn: &AsyncMutex<()>,
    ) -> bool {
        let Some(login) = authorization.and_then(Login::read) else { return false };
        let known = str::from_utf8(&login.name).ok().and_then(|name| users.get(name));
        let Some(hash) = known.or_else(|| self.stand_in(users, &login.name)) else { return false };
        let (is_known, hash) = (known.is_some(), hash.clone());
        let seen = self.seen(&login, &hash, is_known);
        if let Some(right) = self.checked().find(seen) {
            return right;
        }

        // The line of all clients is fair, so a client must not stand in it many times.
        let _turn = turn.lock().await;
        // A client that goes away does not free the place: the work goes on.
        let Ok(place) = Arc::clone(&self.one_at_a_time).acquire_owned().await else { return false };
        let this = Arc::clone(self);
        let work = move || {
            let _place = place;
            // Another request with the same login may have been before it.
            let found = this.checked().find(seen);
            found.unwrap_or_else(|| {
                let right = this.verify(&login, &hash) && is_known;
                this.checked().remember(seen, right);
                right
            })
        };
        tokio::task::spawn_blocking(work).await.unwrap_or(false)
    }

    /// The hash that is worked for in place of that of a user who does not exist: always the same one for
    /// the same name, since hashes may differ in what they cost.
    fn stand_in<'a>(&self, users: &'a Users, name: &[u8]) -> Option<&'a Secret> {
        let count = u128::try_from(users.len()).ok().filter(|count| *count > 0)?;
        let at = self.digest(&[name]) % count;
        users.values().nth(usize::try_from(at).ok()?)
    }

    /// Whether the name is known is part of it: the hash may have stood in for that of the same name
    /// before there was such a user.
    fn seen(&self, login: &Login, hash: &Secret, is_known: bool) -> Seen {
        let known = [u8::from(is_known)];
        self.digest(&[&known, &login.name, hash.expose().as_bytes(), &login.password])
    }

    /// The lengths are part of it, so that no two lists of parts run into the same bytes.
    fn digest(&self, parts: &[&[u8]]) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hasher.finish128().as_u128()
    }

    fn verify(&self, login: &Login, hash: &Secret) -> bool {
        #[cfg(test)]
        self.worked.lock().unwrap().push(hash.expose().to_owned());
        bcrypt::verify(&login.password, hash.expose()).unwrap_or(false)
    }

    fn checked(&self) -> MutexGuard<'_, Checked> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Checked {
    fn find(&self, seen: Seen) -> Option<bool> {
        if self.right.contains(&seen) {
            return Some(true);
        }
        self.wrong.contains(&seen).then_some(false)
    }

    fn remember(&mut self, seen: Seen, right: bool) {
        let list = if right { &mut self.right } else { &mut self.wrong };
        if list.len() == REMEMBERED {
            list.pop_front();
        }
        list.push_back(seen);
    }
}

impl Login {
    /// `Basic` and `name:password` in base64.
    fn read(header: &HeaderValue) -> Option<Self> {
        let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }

        let mut name = STANDARD.decode(encoded).ok()?;
        let colon = name.iter().position(|&byte| byte == b':')?;
        let password = name.split_off(colon + 1);
        name.truncate(colon);
        Some(Self { name, password })
    }
}

/// As many as the toolkit's, of each kind.
const REMEMBERED: usize = 100;

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;

    /// The least cost there is.
    fn hash(password: &str, salt: u8) -> Secret {
        let parts = bcrypt::hash_with_salt(password, 4, [salt; 16]).unwrap();
        Secret::new(parts.format_for_version(bcrypt::Version::TwoY))
    }

    fn users() -> Users {
        [("ann", "s3cret", 1), ("bob", "other", 2), ("cid", "third", 3)]
            .map(|(name, password, salt)| (name.to_owned(), hash(password, salt)))
            .into()
    }

    fn basic(login: &str) -> HeaderValue {
        HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(login))).unwrap()
    }

    fn passwords() -> Arc<Passwords> {
        Arc::new(Passwords::new().unwrap())
    }

    fn turn() -> AsyncMutex<()> {
        AsyncMutex::default()
    }

    fn worked(passwords: &Passwords) -> Vec<String> {
        std::mem::take(&mut passwords.worked.lock().unwrap())
    }

    async fn allow(passwords: &Arc<Passwords>, login: &str) -> bool {
        passwords.allow(&users(), Some(&basic(login)), &turn()).await
    }

    #[tokio::test]
    async fn only_a_user_with_the_password_is_let_in() {
        let passwords = passwords();
        assert!(allow(&passwords, "ann:s3cret").await);
        assert!(allow(&passwords, "bob:other").await);
        for login in
            ["ann:other", "ann:", "ann", "Ann:s3cret", "dora:s3cret", ":", "", "ann:s3cret "]
        {
            assert!(!allow(&passwords, login).await, "{login}");
        }
    }

    #[tokio::test]
    async fn what_is_no_basic_login_is_refused_without_work() {
        let passwords = passwords();
        assert!(!passwords.allow(&users(), None, &turn()).await);
        for header in ["Basic", "Basic !", "Basic ", "Bearer YW5uOnMzY3JldA==", "YW5uOnMzY3JldA=="]
        {
            let header = HeaderValue::from_static(header);
            assert!(!passwords.allow(&users(), Some(&header), &turn()).await, "{header:?}");
        }
        assert!(worked(&passwords).is_empty());

        // The word may be in any case.
        let header = HeaderValue::from_static("bAsic YW5uOnMzY3JldA==");
        assert!(passwords.allow(&users(), Some(&header), &turn()).await);
    }

    #[tokio::test]
    async fn a_name_that_no_user_has_costs_what_one_of_a_user_costs() {
        let (passwords, users) = (passwords(), users());
        let hashes: Vec<_> = users.values().map(|hash| hash.expose().to_owned()).collect();

        let mut stand_ins = Vec::new();
        for number in 0..50 {
            let name = format!("nobody{number}");
            // The password of the one whose hash stands in lets nobody else in.
            for password in ["s3cret", "other", "third"] {
                assert!(!allow(&passwords, &format!("{name}:{password}")).await);
            }
            let used = worked(&passwords);
            assert_eq!(used.len(), 3, "one check for each password");
            assert!(used.iter().all(|hash| *hash == used[0] && hashes.contains(hash)));
            stand_ins.push(used[0].clone());
        }
        stand_ins.sort();
        stand_ins.dedup();
        assert_eq!(stand_ins.len(), 3, "every hash stands in for some names");

        // A known name with a wrong password, twice, and so an unknown one: one check.
        for login in ["ann:wrong", "dora:wrong"] {
            assert!(!allow(&passwords, login).await);
            assert!(!allow(&passwords, login).await);
            assert_eq!(worked(&passwords).len(), 1, "{login}");
        }
    }

    #[tokio::test]
    async fn a_right_password_is_checked_once_however_many_wrong_ones_come() {
        let passwords = passwords();
        assert!(allow(&passwords, "ann:s3cret").await);
        for number in 0..300 {
            assert!(!allow(&passwords, &format!("ann:{number}")).await);
        }
        assert_eq!(worked(&passwords).len(), 301);
        assert!(allow(&passwords, "ann:s3cret").await);
        assert!(worked(&passwords).is_empty());

        let checked = passwords.checked();
        assert_eq!((checked.right.len(), checked.wrong.len()), (1, REMEMBERED));
    }

    #[tokio::test]
    async fn the_same_login_many_times_at_once_is_checked_once() {
        let passwords = passwords();
        let mut all = JoinSet::new();
        for _ in 0..20 {
            let passwords = Arc::clone(&passwords);
            all.spawn(async move { allow(&passwords, "ann:s3cret").await });
        }
        assert_eq!(all.join_all().await, [true; 20]);
        assert_eq!(worked(&passwords).len(), 1);
    }

    #[tokio::test]
    async fn a_new_hash_in_the_file_makes_an_old_password_wrong() {
        let passwords = passwords();
        assert!(allow(&passwords, "ann:s3cret").await);
        let mut users = users();
        users.insert("ann".to_owned(), hash("new", 1));
        assert!(!passwords.allow(&users, Some(&basic("ann:s3cret")), &turn()).await);
        assert!(passwords.allow(&users, Some(&basic("ann:new")), &turn()).await);
    }
}
