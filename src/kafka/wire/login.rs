//! Logging in: SASL over Kafka's own requests, with the mechanisms that need nothing but a name and
//! a password (PLAIN of RFC 4616, SCRAM of RFC 5802).

use openssl::base64::{decode_block, encode_block};
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::pkcs5::pbkdf2_hmac;
use openssl::pkey::PKey;
use openssl::rand::rand_bytes;
use openssl::sign::Signer;

use super::line::{Broken, Connection};
use super::message::{Malformed, Reply};
use super::security::Login;

const HANDSHAKE: (i16, i16) = (17, 1);
const AUTHENTICATE: (i16, i16) = (36, 0);

const UNSUPPORTED_MECHANISM: i16 = 33;
const ILLEGAL_STATE: i16 = 34;

/// Why there is no login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoLogin {
    /// With those that are.
    NotOffered(Vec<String>),
    /// The listener has no logins at all.
    NotAsked,
    /// The broker's words.
    Refused(String),
    /// This mechanism is not one that is spoken here.
    NotSpoken,
    Broken(Broken),
}

impl From<Broken> for NoLogin {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<Malformed> for NoLogin {
    fn from(malformed: Malformed) -> Self {
        Self::Broken(malformed.into())
    }
}

impl From<ErrorStack> for NoLogin {
    fn from(_: ErrorStack) -> Self {
        Self::NotSpoken
    }
}

/// The mechanisms that a listener offers; `None` where it asks for no login.
pub(super) fn offered(connection: &mut Connection) -> Result<Option<Vec<String>>, Broken> {
    // Nobody has this one, so that nothing is begun.
    match shake_hands(connection, "DWCTL-ASKS") {
        Ok(()) => Ok(Some(Vec::new())),
        Err(NoLogin::NotOffered(offered)) => Ok(Some(offered)),
        Err(NoLogin::Broken(broken)) => Err(broken),
        Err(_) => Ok(None),
    }
}

/// Logs in.
pub(super) fn log_in(connection: &mut Connection, login: &Login) -> Result<(), NoLogin> {
    shake_hands(connection, &login.mechanism)?;
    match login.mechanism.as_str() {
        "PLAIN" => {
            let proof = format!("\0{}\0{}", login.user, login.password);
            authenticate(connection, proof.as_bytes()).map(drop)
        }
        "SCRAM-SHA-256" => scram(connection, login, MessageDigest::sha256()),
        "SCRAM-SHA-512" => scram(connection, login, MessageDigest::sha512()),
        _ => Err(NoLogin::NotSpoken),
    }
}

fn shake_hands(connection: &mut Connection, mechanism: &str) -> Result<(), NoLogin> {
    let mut reply = connection.ask(HANDSHAKE, |request| request.string(mechanism))?;
    match reply.int16()? {
        0 => Ok(()),
        UNSUPPORTED_MECHANISM => Err(NoLogin::NotOffered(reply.each(Reply::string)?)),
        ILLEGAL_STATE => Err(NoLogin::NotAsked),
        other => Err(NoLogin::Refused(format!("error {other} of Kafka's protocol"))),
    }
}

fn authenticate(connection: &mut Connection, proof: &[u8]) -> Result<Vec<u8>, NoLogin> {
    let mut reply = connection.ask(AUTHENTICATE, |request| request.bytes(proof))?;
    let error = reply.int16()?;
    let words = reply.optional_string()?;
    if error == 0 {
        return Ok(reply.bytes()?);
    }
    Err(NoLogin::Refused(words.unwrap_or_else(|| format!("error {error} of Kafka's protocol"))))
}

fn scram(connection: &mut Connection, login: &Login, digest: MessageDigest) -> Result<(), NoLogin> {
    let mut random = [0; 18];
    rand_bytes(&mut random)?;
    let begun = Scram::begin(login, digest, &encode_block(&random));
    let challenge = authenticate(connection, begun.first().as_bytes())?;
    let challenge = String::from_utf8_lossy(&challenge).into_owned();
    let proof = begun.answer(&challenge)?.ok_or(NoLogin::Broken(Broken::Foreign))?;
    authenticate(connection, proof.as_bytes()).map(drop)
}

/// One exchange of SCRAM without its transport.
struct Scram<'a> {
    password: &'a str,
    digest: MessageDigest,
    /// The first message without what stands before it for channel binding.
    bare: String,
}

impl<'a> Scram<'a> {
    fn begin(login: &'a Login, digest: MessageDigest, nonce: &str) -> Self {
        let user = login.user.replace('=', "=3D").replace(',', "=2C");
        Self { password: &login.password, digest, bare: format!("n={user},r={nonce}") }
    }

    fn first(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// The last message; `None` where the challenge is none.
    fn answer(&self, challenge: &str) -> Result<Option<String>, ErrorStack> {
        let part = |name: &str| challenge.split(',').find_map(|part| part.strip_prefix(name));
        let (Some(nonce), Some(salt), Some(count)) = (part("r="), part("s="), part("i=")) else {
            return Ok(None);
        };
        let (Ok(salt), Ok(count)) = (decode_block(salt), count.parse::<usize>()) else {
            return Ok(None);
        };
        // `biws` is `n,,` in base64: no channel is bound.
        let without_proof = format!("c=biws,r={nonce}");
        let signed = format!("{},{challenge},{without_proof}", self.bare);
        let mut salted = vec![0; self.digest.size()];
        pbkdf2_hmac(self.password.as_bytes(), &salt, count, self.digest, &mut salted)?;
        let key = self.sign(&salted, b"Client Key")?;
        let signature = self.sign(&hash(self.digest, &key)?, signed.as_bytes())?;
        let proof: Vec<u8> = key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        Ok(Some(format!("{without_proof},p={}", encode_block(&proof))))
    }

    fn sign(&self, key: &[u8], text: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let key = PKey::hmac(key)?;
        Signer::new(self.digest, &key)?.sign_oneshot_to_vec(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange that stands in section 3 of RFC 7677.
    #[test]
    fn a_challenge_is_answered_as_the_standard_shows() {
        let login = Login {
            mechanism: "SCRAM-SHA-256".to_owned(),
            user: "user".to_owned(),
            password: "pencil".to_owned(),
        };
        let scram = Scram::begin(&login, MessageDigest::sha256(), "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let challenge = format!("r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        assert_eq!(
            scram.answer(&challenge).unwrap().unwrap(),
            format!("c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
        );
        for nonsense in ["", "r=x", "r=x,s=!,i=1", "r=x,s=aaaa,i=many"] {
            assert_eq!(scram.answer(nonsense).unwrap(), None, "{nonsense}");
        }
    }
}
