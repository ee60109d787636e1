//! What the head of a reply means: it is for the application, is followed, asked for again, or refused.

use super::table::Input;
use super::{Following, Origin, Request};
use crate::http::redirect::{self, Decision};
use crate::http::zone::means_itself;
use crate::win32::{ERROR_WINHTTP_INVALID_SERVER_RESPONSE, ERROR_WINHTTP_RESEND_REQUEST};

impl Request {
    /// What the head that arrived means.
    pub(super) fn answer(&mut self) -> Input {
        let Some(head) = &self.attempt.response else { return Input::Refused };
        if self.route.refused {
            // A proxy may say no; where to go, it may not say.
            return Input::Final;
        }
        if self.current.key.is_some() && head.status == 101 && !self.attempt.upgradable {
            self.cause = ERROR_WINHTTP_INVALID_SERVER_RESPONSE;
            return Input::Refused;
        }
        let repeatable = self.write.source.replayable();
        if head.status == 408 && self.current.retried < self.config.settings.timeout_retries && repeatable {
            self.current.retried += 1;
            return Input::Resend;
        }
        let disabled = self.config.settings.authentication_disabled();
        if self.config.credentials.asked(head, &self.config.template, &self.origin, disabled) {
            if self.write.source.replayable() {
                return Input::Resend;
            }
            self.cause = ERROR_WINHTTP_RESEND_REQUEST;
            return Input::Refused;
        }
        if !redirect::leads_on(head.status) {
            return Input::Final;
        }
        let current = redirect::Current {
            url: &self.config.template.url(&self.origin),
            method: &self.config.template.method,
            policy: self.config.settings.allowed_redirects(),
            disabled: self.config.settings.redirects_disabled(),
            followed: self.current.redirects,
            limit: self.config.settings.max_redirects,
            reject_user: self.config.settings.reject_user,
        };
        match redirect::decide(head.status, head.headers.get("location", 0), &current) {
            Decision::Return => Input::Final,
            Decision::Refuse(error) => {
                self.cause = error;
                Input::Refused
            }
            Decision::Follow { secure, host, port, target, url, method, keep_body } => {
                let host = if means_itself(&self.origin.host, &host) { self.origin.host.clone() } else { host };
                let origin = Origin { secure, host, port };
                // Now, so that the application can still add what it wants when it is told.
                let elsewhere = origin != self.origin;
                self.carried_away = self.config.template.redirect(elsewhere, keep_body);
                if elsewhere {
                    self.config.credentials.leave();
                }
                self.following = Some(Box::new(Following { url, origin, target, method, keep_body }));
                Input::Follow
            }
        }
    }
}
