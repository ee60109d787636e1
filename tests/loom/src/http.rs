//! A proxy, as far as connections know it.

pub mod proxy {
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Server {
        pub host: String,
        pub port: u16,
    }
}
