//! Options that no page describes: unknown here, as on a Windows that lacks them.

use super::row::*;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_SERVER_CERT_CHAIN_BUILD_FLAGS: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_SOURCE_ADDRESS: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_HEAP_EXTENSION: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_SET_GLOBAL_CALLBACK: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_SET_TOKEN_BINDING: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_TOKEN_BINDING_PUBLIC_KEY: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_REFERER_TOKEN_BINDING_HOSTNAME: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_ENABLE_TEST_SIGNING: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_NTSERVICE_FLAG_TEST: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_DISABLE_PROXY_LINK_LOCAL_NAME_RESOLUTION: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_PROXY_CONFIG_INFO: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_AGGREGATE_PROXY_CONFIG: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_SELECTED_PROXY_CONFIG_INFO: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_SERVER_CERT_CHAIN_BUILD_CACHE_ONLY: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_QUIC_STATS_V2: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_QUIC_STREAM_STATS: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_USE_LOOKASIDE: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_ERROR_LOG_GUID: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_ENABLE_FAST_FORWARDING: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_FAST_FORWARDING_RESPONSE_DATA: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_UPGRADE_TO_PROTOCOL: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_CONNECTION_STATS_V2: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_FAST_FORWARDING_RESPONSE_STATUS: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_DSCP_TAG: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_HTTP11_DOWNGRADE_TTL: Shape::Unknown).note("No page describes it."),
    option!(WINHTTP_OPTION_SESSION_ERROR_LOG_GUID: Shape::Unknown).note("No page describes it."),
];
