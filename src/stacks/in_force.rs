//! What a deployment without its context values would take away: read from the templates themselves.

use serde_json::Value;

/// Choices of the platform's app that its templates show. Each is a key of the CDK's context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InForce {
    /// `domainName`: the host of an `https` address.
    pub(crate) domain: Option<String>,
    /// `certificateArn`: that of the listener on 443.
    pub(crate) certificate: Option<String>,
    /// `alertEmail`: the subscriber of the alerts.
    pub(crate) email: Option<String>,
    /// `budgetMonthlyUsd`.
    pub(crate) budget: Option<String>,
}

impl InForce {
    /// What a template says of them.
    pub(crate) fn of(template: &Value) -> Self {
        let mut found = Self::default();
        let address = template["Outputs"]["ApiBaseUrl"]["Value"].as_str();
        found.domain = address
            .and_then(|address| address.strip_prefix("https://"))
            .map(|host| host.trim_end_matches('/').to_owned());
        for (_, shape) in template["Resources"].as_object().into_iter().flatten() {
            let properties = &shape["Properties"];
            let text = |value: &Value| value.as_str().map(str::to_owned);
            match shape["Type"].as_str() {
                Some("AWS::ElasticLoadBalancingV2::Listener") if properties["Port"] == 443 => {
                    found.certificate = text(&properties["Certificates"][0]["CertificateArn"]);
                }
                Some("AWS::SNS::Subscription") if properties["Protocol"] == "email" => {
                    found.email = text(&properties["Endpoint"]);
                }
                Some("AWS::Budgets::Budget") => {
                    let amount = &properties["Budget"]["BudgetLimit"]["Amount"];
                    found.budget = amount.as_f64().map(|amount| amount.to_string());
                }
                _ => {}
            }
        }
        found
    }

    /// Those of several stacks together.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            domain: self.domain.or(other.domain),
            certificate: self.certificate.or(other.certificate),
            email: self.email.or(other.email),
            budget: self.budget.or(other.budget),
        }
    }

    /// As values of the CDK's context: key, value, and what goes when it is missing.
    pub(crate) fn context(&self) -> Vec<(&'static str, &str, &'static str)> {
        [
            ("domainName", &self.domain, "HTTPS and the name of the platform"),
            ("certificateArn", &self.certificate, "the listener on 443"),
            ("alertEmail", &self.email, "the subscriber of the alerts"),
            ("budgetMonthlyUsd", &self.budget, "the budget"),
        ]
        .into_iter()
        .filter_map(|(key, value, what)| Some((key, value.as_deref()?, what)))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_templates_show_what_was_chosen() {
        let compute = json!({
            "Resources": { "Https": { "Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {
                "Port": 443, "Certificates": [{ "CertificateArn": "arn:aws:acm:us-east-1:1:certificate/a" }],
            } } },
            "Outputs": { "ApiBaseUrl": { "Value": "https://app.example.com" } },
        });
        let monitoring = json!({ "Resources": {
            "Mail": { "Type": "AWS::SNS::Subscription", "Properties": { "Protocol": "email", "Endpoint": "ops@example.com" } },
            "Budget": { "Type": "AWS::Budgets::Budget", "Properties": { "Budget": { "BudgetLimit": { "Amount": 500, "Unit": "USD" } } } },
        } });
        let found = InForce::of(&compute).and(InForce::of(&monitoring));
        let context = found.context();
        let pairs: Vec<(&str, &str)> = context.iter().map(|(key, value, _)| (*key, *value)).collect();
        assert_eq!(
            pairs,
            [
                ("domainName", "app.example.com"),
                ("certificateArn", "arn:aws:acm:us-east-1:1:certificate/a"),
                ("alertEmail", "ops@example.com"),
                ("budgetMonthlyUsd", "500"),
            ]
        );
        let http = json!({ "Resources": {}, "Outputs": { "ApiBaseUrl": { "Value": { "Fn::Join": ["", ["http://", {}]] } } } });
        assert_eq!(InForce::of(&http), InForce::default());
    }
}
