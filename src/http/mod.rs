//! Tier 4: the one HTTP client: TLS, authentication, proxy, limits.
