//! The built-in configuration, for a start without any.

/// Its text, a configuration file like any other: `fixtures/default.yaml`.
pub const TEXT: &str = include_str!("../../fixtures/default.yaml");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::compile::{LoadOptions, load_file};

    #[test]
    fn it_has_four_services() {
        let options = LoadOptions {
            notes: 100,
            ..LoadOptions::FILE
        };
        let loaded = load_file(TEXT, options).unwrap();
        assert_eq!(loaded.remarks, []);
        let routes = loaded.table.routes().iter().zip(&loaded.configured);
        let routes = routes.map(|(route, configured)| {
            let addresses = configured.addresses.iter().map(ToString::to_string);
            format!("{route}: {}", addresses.collect::<Vec<_>>().join(" "))
        });
        assert_eq!(
            routes.collect::<Vec<_>>(),
            [
                "/api/users/* v1 -> users-service: users-1:8080 users-2:8080 users-3:8080",
                "/api/v2/users/* v2 -> users-service: users-v2-1:8080 users-v2-2:8080",
                "/api/orders/* v1 -> orders-service: orders-1:8080 orders-2:8080",
                "/api/products/* v1 -> products-service: products-1:8080 products-2:8080 products-3:8080 products-4:8080",
                "/api/payments/* v1 -> payments-service: payments-1:8080 payments-2:8080",
            ]
        );
    }
}
